/* SPDX-License-Identifier: MIT */
/*
 * test-dev-queues-stress.c - threads that attach, switch, write, read and close
 * queues of one device while the host receives and the device is deleted now
 * and then, through dev/file.h and dev/io.h. No packet is read twice or
 * overtakes another of its flow in one queue, and none is lost uncounted.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "dev/knob.h"
#include "fake.h"

#define WORKERS 5
#define FLOWS	6
#define ROUNDS	60
#define STEPS	1500  /* of each worker */
#define INPUTS	60000 /* of a round, at most */

enum {
	TUN_MQ = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
};

/* What happens in the middle of a round. */
enum end {
	END_LATE,   /* nothing */
	END_DELETE, /* deleted: whoever is left makes another one */
	END_LEAVE,  /* who made it leaves: it is as the others want it */
	N_ENDS,
};

struct worker {
	pthread_t thread;
	uint32_t random;
	struct opened o;
	/* Of a read that may be answered at any time, or was. */
	struct answer answer;
	bool reading;
	const struct request *request; /* its address only */
	uint32_t last[FLOWS];
	unsigned int n_read, n_written, n_attached;
	int wrong; /* the line of what should not have been, or 0 */
};

static struct worker workers[WORKERS];
static struct opened maker;
/* The one that the host receives for; there may be others after it. */
static struct device *dev;
static struct counter progress;
static atomic_bool stop_pump;
static atomic_uchar seen[INPUTS + 1];
static unsigned int n_input;

/* ---- a worker ---- */

#define CHECK(worker, ok)                                                      \
	do {                                                                   \
		if (!(ok) && !(worker)->wrong)                                 \
			(worker)->wrong = __LINE__;                            \
	} while (0)

static void count_read(struct worker *worker, const struct answer *answer)
{
	uint32_t number = fake_udp_number(answer->data);
	uint32_t flow = number % FLOWS;

	CHECK(worker, answer->result == FAKE_UDP_LEN);
	CHECK(worker, number > 0 && number <= INPUTS);
	if (worker->wrong)
		return;
	CHECK(worker, atomic_fetch_add(&seen[number], 1) == 0);
	CHECK(worker, number > worker->last[flow]);
	worker->last[flow] = number;
	worker->n_read++;
}

static void look_at_answer(struct worker *worker, const struct answer *answer)
{
	CHECK(worker, answer->n == 1);
	if (answer->delivered)
		count_read(worker, answer);
	else
		CHECK(worker, answer->result == -EAGAIN ||
				      answer->result == -EFAULT ||
				      answer->result == -EBADFD ||
				      answer->result == -EINTR);
}

static void end_read(struct worker *worker)
{
	if (!worker->reading)
		return;
	if (!counter_wait(&worker->answer.done, 1))
		abort();
	worker->reading = false;
	look_at_answer(worker, &worker->answer);
	counter_destroy(&worker->answer.done);
}

/* One at a time: else nobody knows which of two came first. */
static void read_one(struct worker *worker)
{
	bool nonblock = random_next(&worker->random) % 8;
	struct request *request;

	if (worker->reading && counter_value(&worker->answer.done) == 0)
		return;
	end_read(worker);
	request = new_request(&worker->answer, ANSWER_MAX);
	worker->reading = true;
	worker->request = request;
	if (start_read(&worker->o, request, nonblock) == DEV_PARKED)
		dev_io_arm(&request->io);
}

static void write_one(struct worker *worker)
{
	uint8_t data[FAKE_UDP_LEN];
	struct request *request;
	struct answer answer;

	fake_udp(data, random_next(&worker->random) % FLOWS, true, 0);
	request = new_request(&answer, 0);
	if (dev_write(worker->o.file, &request->io, data, sizeof(data), true) !=
	    DEV_ANSWERED)
		abort();
	CHECK(worker, answer.n == 1);
	if (answer.result == sizeof(data))
		worker->n_written++;
	else
		CHECK(worker,
		      answer.result == -EBADFD || answer.result == -EAGAIN);
	counter_destroy(&answer.done);
}

/* The file stays; it may be attached, or have lost its device. */
static void attach_worker(struct worker *worker)
{
	bool final = random_next(&worker->random) % 2;
	int r = attach_once(&worker->o, "t0", TUN_MQ, final);

	/* A device that is on its way out has the name for a while. */
	CHECK(worker, r == 0 || r == -EBUSY || r == -EEXIST || r == -EINVAL ||
			      (!final && r == DEV_ATTACH_AGAIN));
	worker->n_attached += r == 0;
}

static void close_worker(struct worker *worker)
{
	if (random_next(&worker->random) % 2)
		dev_file_set_closing(worker->o.file, true);
	dev_file_close(worker->o.file);
	end_read(worker);
	close_file(&worker->o);
}

static void switch_one(struct worker *worker)
{
	bool on = random_next(&worker->random) % 4;
	int r = dev_file_set_queue(worker->o.file,
				   on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);

	CHECK(worker, r == 0 || r == -EINVAL);
}

static void look_around(struct worker *worker)
{
	struct tund_device device = {.id = 0};
	struct tund_stats stats;
	char name[IFNAMSIZ];
	unsigned int flags;

	dev_poll(worker->o.file);
	dev_file_describe(worker->o.file, name, &flags);
	dev_file_stats(worker->o.file, &stats);
	if (dev_file_next_device(worker->o.file, &device) == 0)
		CHECK(worker, device.queues + device.queues_off <= WORKERS + 1);
	dev_set_persist(worker->o.file, random_next(&worker->random) % 2);
	/* A signal. */
	if (worker->reading)
		interrupt_request(&worker->o, worker->request);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	open_file(&worker->o);
	for (unsigned int i = 0; i < STEPS && !worker->wrong; i++) {
		unsigned int what = random_next(&worker->random) % 64;

		if (!dev_file_attached(worker->o.file))
			attach_worker(worker);
		if (what < 3) {
			switch_one(worker);
		} else if (what < 4) {
			close_worker(worker);
			open_file(&worker->o);
		} else if (what < 6) {
			look_around(worker);
		} else if (what < 9) {
			write_one(worker);
		} else {
			read_one(worker);
		}
		counter_add(&progress, 1);
		sched_yield();
	}
	/* It may end the device. */
	close_worker(worker);
	return NULL;
}

/* ---- the host ---- */

/* Rising numbers, whose rest says the flow, in batches; and news. */
static void *pump(void *arg)
{
	struct worker *worker = arg;
	struct host_state state;

	device_get_state(dev, &state);
	while (!stop_pump) {
		unsigned int n = 1 + random_next(&worker->random) % 8;
		struct pkt *pkts[8];

		if (n_input + n > INPUTS)
			break;
		for (unsigned int i = 0; i < n; i++) {
			n_input++;
			pkts[i] = fake_udp_packet(n_input % FLOWS, n_input);
		}
		device_input(dev, pkts, n);
		state.queue_len = 1 + random_next(&worker->random) % 16;
		if (random_next(&worker->random) % 8 == 0)
			device_state(dev, &state);
		device_wake(dev);
		sched_yield();
	}
	return NULL;
}

/* ---- a round ---- */

static void start(struct worker *worker, uint32_t *random, void *(*run)(void *))
{
	memset(worker, 0, sizeof(*worker));
	worker->random = random_next(random);
	assert_int_equal(pthread_create(&worker->thread, NULL, run, worker), 0);
}

/* What of it stays idle is taken off, and what is on its way waited for. */
static void end_devices(void)
{
	struct opened last;

	open_file(&last);
	assert_int_equal(attach(&last, "t0", TUN_MQ), 0);
	assert_int_equal(dev_set_persist(last.file, false), 0);
	close_file(&last);
	open_file(&last);
	assert_int_equal(attach(&last, "other", IFF_TUN), 0);
	close_file(&last);
}

static void check_accounts(void)
{
	unsigned int read = 0, written = 0, attached = 0;
	uint64_t full = dev->drops[TUND_DROP_QUEUE_FULL];
	uint64_t detached = dev->drops[TUND_DROP_DETACHED];
	uint64_t down = dev->drops[TUND_DROP_DOWN], tx = dev->tx_packets;

	for (int i = 0; i < WORKERS; i++) {
		if (workers[i].wrong)
			fail_msg("worker %d: line %d", i, workers[i].wrong);
		read += workers[i].n_read;
		written += workers[i].n_written;
		attached += workers[i].n_attached;
	}
	assert_true(attached >= WORKERS);
	assert_int_equal(n_input, read + full + detached);
	assert_int_equal(tx, read);
	assert_int_equal(written, fake.sent.n + down);
}

static void clean_up(void)
{
	for (unsigned int i = 0; i < fake.sent.n; i++)
		pkt_free(fake.sent.pkts[i]);
	fake.sent.n = 0;
	for (unsigned int i = 0; i <= n_input; i++)
		seen[i] = 0;
	counter_destroy(&progress);
	device_unref(dev);
}

static void run_round(enum end end, uint32_t *random)
{
	struct worker pumper;

	counter_init(&progress);
	stop_pump = false;
	n_input = 0;
	open_file(&maker);
	dev = attach_up(&maker, "t0", TUN_MQ)->owner;
	device_ref(dev);
	/* It gets none of the packets. */
	assert_int_equal(dev_file_set_queue(maker.file, IFF_DETACH_QUEUE), 0);

	for (int i = 0; i < WORKERS; i++)
		start(&workers[i], random, work);
	start(&pumper, random, pump);
	assert_true(counter_wait(&progress,
				 random_next(random) % (WORKERS * STEPS / 2)));
	if (end == END_DELETE)
		fake_delete("t0");
	else if (end == END_LEAVE)
		dev_file_close(maker.file);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	stop_pump = true;
	pthread_join(pumper.thread, NULL);
	close_file(&maker);
	end_devices();

	check_accounts();
	clean_up();
}

static void queues_come_and_go(void **state)
{
	uint32_t random = 0x5eed0007;

	print_message("seed 0x%x, %d rounds\n", random, ROUNDS);
	for (int i = 0; i < ROUNDS; i++)
		run_round((enum end)(i % N_ENDS), &random);
	fake_free_table();
	assert_int_equal(fake.live_links, 0);
}

/* ---- who joins a device that ends ---- */

#define GONE_ROUNDS 300
#define JOINING	    20

struct joiner {
	pthread_t thread;
	struct opened files[JOINING];
};

static pthread_barrier_t together;

static void *join_many(void *arg)
{
	struct joiner *joiner = arg;

	pthread_barrier_wait(&together);
	for (int i = 0; i < JOINING; i++)
		attach_once(&joiner->files[i], "t0", TUN_MQ, true);
	return NULL;
}

static void end_while_they_join(struct joiner *joiners, unsigned int n,
				uint32_t *random)
{
	assert_int_equal(pthread_barrier_init(&together, NULL, n + 1), 0);
	for (unsigned int i = 0; i < n; i++) {
		for (int k = 0; k < JOINING; k++)
			open_file(&joiners[i].files[k]);
		assert_int_equal(pthread_create(&joiners[i].thread, NULL,
						join_many, &joiners[i]),
				 0);
	}
	pthread_barrier_wait(&together);
	for (uint32_t i = random_next(random) % 16; i > 0; i--)
		sched_yield();
	device_gone(dev);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(joiners[i].thread, NULL);
	pthread_barrier_destroy(&together);
}

/* Either it is too late, or they are told of the end. */
static void files_join_a_device_that_ends(void **state)
{
	uint32_t random = 0x5eed0008;
	struct joiner joiners[2];

	print_message("seed 0x%x, %d rounds\n", random, GONE_ROUNDS);
	for (int round = 0; round < GONE_ROUNDS; round++) {
		open_file(&maker);
		dev = attach_up(&maker, "t0", TUN_MQ)->owner;
		device_ref(dev);
		end_while_they_join(joiners, LENGTH(joiners), &random);
		for (unsigned int i = 0; i < LENGTH(joiners) * JOINING; i++) {
			struct opened *o =
				&joiners[i / JOINING].files[i % JOINING];
			struct device *of = dev_file_device(o->file);

			assert_ptr_not_equal(of, dev);
			if (of)
				device_unref(of);
			close_file(o);
		}
		close_file(&maker);
		device_unref(dev);
		end_devices();
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queues_come_and_go),
		TEST(files_join_a_device_that_ends),
	};

	return cmocka_run_group_tests_name("dev-queues-stress", tests, NULL,
					   NULL);
}
