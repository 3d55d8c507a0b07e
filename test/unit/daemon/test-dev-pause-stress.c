/* SPDX-License-Identifier: MIT */
/*
 * test-dev-pause-stress.c - a flood, a reader who waits, and whoever looks or
 * changes the queue, in threads that race. The fake host ends the program if it
 * is asked for two things at once, or for one that is not its turn.
 */
#include "dev/tap.h"
#include "fake.h"

#define READS  5000
#define EVENTS 50 /* of each kind, at least */
#define BATCH  4

#define FLOWS  16

/* The other one's reader never reads. */
static struct opened o, other;
static struct host_link *lnk;
static atomic_bool stop;

/* As the pump does: nothing while it is paused. */
static void *flood(void *arg)
{
	unsigned int flow = 0;

	while (!stop) {
		unsigned int full = 0;

		if (atomic_load(&lnk->deaf)) {
			sched_yield();
			continue;
		}
		for (uint32_t i = 0; i < BATCH; i++) {
			struct pkt *pkt = fake_udp_packet(flow++ % FLOWS, i);

			full += device_input(lnk->owner, &pkt, 1);
		}
		if (full > 0)
			device_pause(lnk->owner);
	}
	return NULL;
}

static bool enough(void)
{
	return counter_value(&fake.pauses) >= EVENTS &&
	       counter_value(&fake.settles) >= EVENTS;
}

/* A pause that lasts for ever would have it wait for ever. */
static void *read_many(void *arg)
{
	for (unsigned int i = 0; i < READS || !enough(); i++) {
		struct request *request;
		struct answer answer;

		request = new_request(&answer, 100);
		if (dev_read(o.file, &request->io, false) == DEV_PARKED)
			dev_io_arm(&request->io);
		if (!counter_wait(&answer.done, 1))
			abort();
		if (!answer.delivered)
			abort();
		counter_destroy(&answer.done);
	}
	return NULL;
}

static void *ask(void *arg)
{
	while (!stop) {
		struct tund_stats stats;

		if (dev_file_stats(o.file, &stats) < 0)
			abort();
	}
	return NULL;
}

static void see(struct dev_tap *tap, const struct dev_sight *sights,
		unsigned int n)
{
}

static void gone(struct dev_tap *tap)
{
}

static void release(struct dev_tap *tap)
{
	free(tap);
}

static const struct dev_tap_ops tap_ops = {
	.see = see,
	.gone = gone,
	.release = release,
};

static void *change(void *arg)
{
	uint32_t random = 0x5eed0024;
	struct host_state state;

	device_get_state(lnk->owner, &state);
	while (!stop) {
		struct dev_tap *tap;

		state.queue_len = 1 + random_next(&random) % 8;
		device_state(lnk->owner, &state);
		if (random_next(&random) % 4)
			continue;
		tap = must_alloc(sizeof(*tap));
		*tap = (struct dev_tap){
			.ops = &tap_ops,
			.right = DEV_TAP_ROOT,
			.refs = 1,
		};
		if (dev_tap_add(table, lnk->owner->id, tap) < 0)
			abort();
		dev_tap_remove(tap);
		dev_tap_unref(tap);
	}
	return NULL;
}

static void run(void *(*last)(void *), bool two_queues)
{
	const unsigned int flags =
		IFF_TUN | IFF_NO_PI | (two_queues ? IFF_MULTI_QUEUE : 0);
	void *(*const others[])(void *) = {flood, ask, last};
	pthread_t threads[LENGTH(others)], reader;

	stop = false;
	open_file(&o);
	lnk = attach_up(&o, "t0", flags);
	if (two_queues) {
		open_file(&other);
		assert_int_equal(attach(&other, "t0", flags), 0);
	}
	fake_change(lnk, &(struct host_state){
				 .ifindex = lnk->state.ifindex,
				 .name = "t0",
				 .up = true,
				 .queue_len = 8,
			 });
	assert_int_equal(pthread_create(&reader, NULL, read_many, NULL), 0);
	for (unsigned int i = 0; i < LENGTH(others); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, others[i], NULL), 0);
	pthread_join(reader, NULL);
	stop = true;
	for (unsigned int i = 0; i < LENGTH(others); i++)
		pthread_join(threads[i], NULL);
	close_file(&o);
	if (two_queues)
		close_file(&other);
}

static void readers_end_pauses(void **state)
{
	run(ask, false);
}

static void one_reader_ends_pauses(void **state)
{
	run(ask, true);
}

static void changes_end_pauses(void **state)
{
	run(change, false);
	run(change, true);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(readers_end_pauses),
		TEST(one_reader_ends_pauses),
		TEST(changes_end_pauses),
	};

	return cmocka_run_group_tests_name("dev-pause-stress", tests, NULL,
					   NULL);
}
