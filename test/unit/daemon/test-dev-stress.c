/* SPDX-License-Identifier: MIT */
/*
 * test-dev-stress.c - readers, writers, signals, the pump and the end of the
 * device in threads that race, through dev/io.h and dev/file.h. Every request
 * is answered once, and every packet accounted for.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "fake.h"

#define ROUNDS	30
#define WORKERS 2   /* of each kind */
#define WRITES	300 /* of each writer */
#define INPUTS	600

/* How a round ends. */
enum end {
	END_CLOSE,
	END_DELETE,
	END_LATE, /* closed when everything was written */
	N_ENDS,
};

struct worker {
	pthread_t thread;
	unsigned int number;
	uint32_t random;
	/* Written, or read; the order of what was read. */
	unsigned int ok;
	int last;
	bool disorder, wrong_answer;
};

static struct opened o;
static struct device *dev;
static struct worker writers[WORKERS], readers[WORKERS];
static struct counter progress;
static atomic_bool stop_pump, stop_signals;
static atomic_uint n_interrupts;

/* ---- writers and readers ---- */

/* Arms it and waits for its answer. */
static void wait_parked(struct worker *worker, struct request *request,
			struct answer *answer)
{
	if (random_next(&worker->random) % 4 == 0)
		sched_yield();
	dev_io_arm(&request->io);
	if (!counter_wait(&answer->done, 1))
		abort();
}

static void *write_many(void *arg)
{
	struct worker *worker = arg;

	for (uint32_t i = 0; i < WRITES; i++) {
		bool nonblock = random_next(&worker->random) % 2;
		uint32_t word = (worker->number << 16 | i) << 8 | 0x45;
		struct request *request;
		struct answer answer;

		request = new_request(&answer, 0);
		if (dev_write(o.file, &request->io, &word, sizeof(word),
			      nonblock) == DEV_PARKED)
			wait_parked(worker, request, &answer);
		counter_add(&progress, 1);
		worker->wrong_answer |= answer.n != 1 || answer.delivered;
		if (answer.result == sizeof(word))
			worker->ok++;
		else if (answer.result == -EBADFD)
			break;
		else
			worker->wrong_answer |= answer.result != -EAGAIN &&
						answer.result != -EINTR;
		counter_destroy(&answer.done);
	}
	return NULL;
}

static void *read_many(void *arg)
{
	struct worker *worker = arg;

	for (;;) {
		bool nonblock = random_next(&worker->random) % 4 == 0;
		struct request *request;
		struct answer answer;
		int number;

		request = new_request(&answer, 100);
		if (dev_read(o.file, &request->io, nonblock) == DEV_PARKED)
			wait_parked(worker, request, &answer);
		worker->wrong_answer |= answer.n != 1;
		if (answer.delivered) {
			number = (int)fake_number(answer.data);
			worker->ok++;
			worker->disorder |= number <= worker->last;
			worker->last = number;
		} else if (answer.result == -EFAULT ||
			   answer.result == -EBADFD) {
			break;
		} else {
			worker->wrong_answer |= answer.result != -EAGAIN &&
						answer.result != -EINTR;
		}
		counter_destroy(&answer.done);
	}
	return NULL;
}

/* ---- the host, and signals ---- */

static unsigned int n_input;
static unsigned int wants_before; /* of earlier rounds */

/* Sends when it is asked to, as far as the host has room; and receives. */
static void *pump(void *arg)
{
	struct worker *worker = arg;
	struct host_state state;
	unsigned int served = wants_before;

	device_get_state(dev, &state);
	n_input = 0;
	while (!stop_pump) {
		unsigned int wants = counter_value(&fake.wants);

		fake.send_room = (int)(random_next(&worker->random) % 20);
		if (wants != served) {
			/* One event for what was wanted before it. */
			served = wants;
			device_can_send(dev);
		}
		/* The interface changes all the time. */
		state.queue_len = 1 + random_next(&worker->random) % 8;
		device_state(dev, &state);
		if (n_input < INPUTS) {
			struct pkt *pkt = fake_packet(n_input++, 60, 0);

			device_input(dev, &pkt, 1);
		}
		sched_yield();
	}
	return NULL;
}

/* Under the queue's lock: a decision, nothing else. */
static bool is_chosen(const struct dev_io *io, const void *key)
{
	const uint32_t *random = key;

	return ((uintptr_t)io >> 6 ^ *random) % 2 == 0;
}

static void *signal_and_look(void *arg)
{
	struct worker *worker = arg;

	while (!stop_signals) {
		uint32_t choice = random_next(&worker->random);
		struct tund_stats stats;
		char name[IFNAMSIZ];
		unsigned int flags;

		dev_io_interrupt(o.file, is_chosen, &choice);
		n_interrupts++;
		dev_poll(o.file);
		dev_file_stats(o.file, &stats);
		dev_file_describe(o.file, name, &flags);
		sched_yield();
	}
	return NULL;
}

/* ---- a round ---- */

static void start(struct worker *worker, unsigned int number, uint32_t *random,
		  void *(*run)(void *))
{
	*worker = (struct worker){
		.number = number,
		.random = random_next(random),
		.last = -1,
	};
	assert_int_equal(pthread_create(&worker->thread, NULL, run, worker), 0);
}

static void clear_sent(void)
{
	for (unsigned int i = 0; i < fake.sent.n; i++)
		pkt_free(fake.sent.pkts[i]);
	fake.sent.n = 0;
}

/* Each writer's packets in its order, each at most once. */
static void check_sent(void)
{
	int last[WORKERS];

	memset(last, 0xff, sizeof(last));
	for (unsigned int i = 0; i < fake.sent.n; i++) {
		uint32_t tag = fake_number(fake.sent.pkts[i]->data) >> 8;
		int number = (int)(tag & 0xffff);

		assert_true(tag >> 16 < WORKERS);
		assert_true(number > last[tag >> 16]);
		last[tag >> 16] = number;
	}
}

static void check_accounts(void)
{
	unsigned int written = 0, got = 0;
	uint64_t lost, count;

	for (unsigned int i = 0; i < WORKERS; i++) {
		assert_false(writers[i].wrong_answer);
		assert_false(readers[i].wrong_answer);
		assert_false(readers[i].disorder);
		written += writers[i].ok;
		got += readers[i].ok;
	}
	check_sent();
	/* What was put back after the end is in no queue's count. */
	lost = dev->drops[TUND_DROP_DOWN] + pktq_length(&dev->to_host);
	assert_int_equal(written, fake.sent.n + lost);
	count = dev->rx_packets;
	assert_int_equal(count, fake.sent.n);
	count = dev->rx_bytes;
	assert_int_equal(count, fake.sent.n * sizeof(uint32_t));

	lost = dev->drops[TUND_DROP_QUEUE_FULL] +
	       dev->drops[TUND_DROP_DETACHED];
	assert_int_equal(n_input, got + lost);
	count = dev->tx_packets;
	assert_int_equal(count, got);
	count = dev->tx_bytes;
	assert_int_equal(count, got * 60);
}

static void end_device(enum end end, uint32_t *random)
{
	unsigned int when = WORKERS * WRITES;

	if (end != END_LATE)
		when = random_next(random) % when;
	assert_true(counter_wait(&progress, when));
	if (end == END_DELETE)
		fake_delete("t0");
	else
		dev_file_close(o.file);
}

static void run_round(enum end end, uint32_t *random)
{
	struct worker pumper, signaller;
	unsigned int stops = counter_value(&fake.stops);
	struct host_link *link;

	counter_init(&progress);
	stop_pump = stop_signals = false;
	wants_before = counter_value(&fake.wants);
	open_file(&o);
	link = attach_up(&o, "t0", IFF_TUN | IFF_NO_PI);
	dev = link->owner;
	device_ref(dev);
	/* Small enough to be full now and then. */
	pktq_set_limit(&dev->to_host, 1 + random_next(random) % 8);

	for (unsigned int i = 0; i < WORKERS; i++) {
		start(&writers[i], i, random, write_many);
		start(&readers[i], i, random, read_many);
	}
	start(&pumper, 0, random, pump);
	start(&signaller, 0, random, signal_and_look);

	end_device(end, random);
	for (unsigned int i = 0; i < WORKERS; i++) {
		pthread_join(writers[i].thread, NULL);
		pthread_join(readers[i].thread, NULL);
	}
	/* It goes on sending what was written before the end. */
	assert_true(counter_wait(&fake.stops, stops + 1));
	stop_pump = stop_signals = true;
	pthread_join(pumper.thread, NULL);
	pthread_join(signaller.thread, NULL);

	check_accounts();
	device_unref(dev);
	close_file(&o);
	clear_sent();
	counter_destroy(&progress);
}

static void requests_race_with_the_end(void **state)
{
	uint32_t random = 0x5eed0005;

	print_message("seed 0x%x, %d rounds\n", random, ROUNDS);
	for (int i = 0; i < ROUNDS; i++)
		run_round((enum end)(i % N_ENDS), &random);
	assert_true(n_interrupts > 0);
}

/* ---- files that fight for a name ---- */

#define ATTEMPTS 100

static void *attach_and_close(void *arg)
{
	struct worker *worker = arg;

	for (int i = 0; i < ATTEMPTS; i++) {
		struct opened mine;
		struct answer answer;
		int r;

		open_file(&mine);
		r = attach(&mine, random_next(&worker->random) % 2 ? "x" : "",
			   IFF_TUN | IFF_NO_PI);
		if (r == 0) {
			worker->ok++;
			read_now(&mine, 100, &answer);
			worker->wrong_answer |= answer.result != -EAGAIN;
			if (random_next(&worker->random) % 2)
				dev_file_set_closing(mine.file, true);
		}
		worker->wrong_answer |= r != 0 && r != -EBUSY && r != -EINVAL;
		close_file(&mine);
		counter_add(&progress, 1);
	}
	return NULL;
}

static void files_fight_for_a_name(void **state)
{
	uint32_t random = 0x5eed0006;
	struct worker workers[3];

	print_message("seed 0x%x, %d attempts\n", random, ATTEMPTS);
	counter_init(&progress);
	for (unsigned int i = 0; i < LENGTH(workers); i++)
		start(&workers[i], i, &random, attach_and_close);
	for (unsigned int i = 0; i < LENGTH(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		assert_false(workers[i].wrong_answer);
		assert_true(workers[i].ok > 0);
	}
	counter_destroy(&progress);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_race_with_the_end),
		TEST(files_fight_for_a_name),
	};

	return cmocka_run_group_tests_name("dev-stress", tests, NULL, NULL);
}
