/* SPDX-License-Identifier: MIT */
/*
 * test-dev-tap.c - dev/tap.h: each packet is shown once, with what became of
 * it, to all who look and as long as they do. The taps only remember.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dev/direct.h"
#include "dev/tap.h"
#include "direct.h"

enum {
	TUN = IFF_TUN | IFF_NO_PI,
	MQ = IFF_MULTI_QUEUE,
	MAX_SEEN = 64,
};

struct seen {
	struct dev_sight sight;
	uint32_t number; /* its first bytes */
};

struct watcher {
	struct dev_tap tap;
	unsigned int n, missed;
	struct seen seen[MAX_SEEN];
	struct counter gone, revoked, released;
	/* By its right this one looks, and does so no more. */
	uint32_t user;
};

static struct watcher w;

static struct watcher *watcher_of(struct dev_tap *tap)
{
	return container_of(tap, struct watcher, tap);
}

static void see(struct dev_tap *tap, const struct dev_sight *sights,
		unsigned int n)
{
	struct watcher *of = watcher_of(tap);

	assert_in_range(n, 1, DEV_MAX_SIGHTS);
	for (unsigned int i = 0; i < n && of->n < MAX_SEEN; i++)
		of->seen[of->n++] = (struct seen){
			sights[i],
			fake_number(sights[i].data),
		};
}

static void miss(struct dev_tap *tap, uint64_t n)
{
	watcher_of(tap)->missed += (unsigned int)n;
}

static void gone(struct dev_tap *tap)
{
	counter_add(&watcher_of(tap)->gone, 1);
}

static enum dev_tap_right judge(struct dev_tap *tap, uint32_t owner,
				uint32_t group)
{
	uint32_t user = watcher_of(tap)->user;

	if (user == 0)
		return tap->right;
	if (owner == user)
		return DEV_TAP_OWNER;
	return group == user ? DEV_TAP_GUEST : DEV_TAP_NONE;
}

static void revoked(struct dev_tap *tap)
{
	counter_add(&watcher_of(tap)->revoked, 1);
}

static void release(struct dev_tap *tap)
{
	counter_add(&watcher_of(tap)->released, 1);
}

static int look_for(struct watcher *of, uint64_t id, uint32_t user,
		    enum dev_tap_right right)
{
	static const struct dev_tap_ops ops = {
		.see = see,
		.miss = miss,
		.gone = gone,
		.judge = judge,
		.revoked = revoked,
		.release = release,
	};

	memset(of, 0, sizeof(*of));
	counter_init(&of->gone);
	counter_init(&of->revoked);
	counter_init(&of->released);
	of->tap.ops = &ops;
	of->tap.right = right;
	of->tap.refs = 1;
	of->user = user;
	return dev_tap_add(table, id, &of->tap);
}

static int look_as(struct watcher *of, uint64_t id, enum dev_tap_right right)
{
	return look_for(of, id, 0, right);
}

static int look(struct watcher *of, uint64_t id)
{
	return look_as(of, id, DEV_TAP_ROOT);
}

static void look_away(struct watcher *of)
{
	dev_tap_remove(&of->tap);
	dev_tap_unref(&of->tap);
	assert_true(counter_wait(&of->released, 1));
}

/* The next one that was not looked at yet. */
static void assert_seen(struct watcher *of, unsigned int at, uint32_t number,
			unsigned int flags, unsigned int dropped,
			uint32_t queue)
{
	const struct seen *seen = &of->seen[at];

	assert_in_range(at, 0, of->n - 1);
	assert_int_equal(seen->number, number);
	assert_int_equal(seen->sight.flags, flags);
	assert_int_equal(seen->sight.dropped, dropped);
	assert_int_equal(seen->sight.queue, queue);
	assert_true(seen->sight.time_ns > 0);
}

/* ---- towards the program ---- */

static void to_the_program(void **state)
{
	struct answer answer = {0};
	struct host_state now;

	attach_device(TUN);
	now = lnk->state;
	now.queue_len = 2;
	fake_change(lnk, &now);
	fake_input(lnk, 1, 100);
	assert_int_equal(look(&w, dev->id), 0);
	for (uint32_t i = 2; i < 5; i++)
		fake_input(lnk, i, 100);
	assert_int_equal(w.n, 3);
	assert_seen(&w, 0, 2, 0, TUND_CAPTURE_PASSED, 0);
	assert_seen(&w, 1, 3, 0, TUND_DROP_QUEUE_FULL, 0);
	assert_seen(&w, 2, 4, 0, TUND_DROP_QUEUE_FULL, 0);
	assert_int_equal(w.seen[0].sight.len, 100);
	/* To have been read is nothing new. */
	read_now(&o, 200, &answer);
	assert_int_equal(w.n, 3);
	look_away(&w);
	fake_input(lnk, 6, 100);
	assert_int_equal(w.n, 3);
	put_device();
	close_file(&o);
}

static void to_nobody(void **state)
{
	attach_device(TUN | MQ);
	assert_int_equal(look(&w, dev->id), 0);
	assert_int_equal(dev_file_set_queue(o.file, IFF_DETACH_QUEUE), 0);
	fake_input(lnk, 1, 100);
	assert_int_equal(w.n, 1);
	assert_seen(&w, 0, 1, 0, TUND_DROP_DETACHED, TUND_CAPTURE_NO_QUEUE);
	look_away(&w);
	put_device();
	close_file(&o);
}

/* ---- towards the host ---- */

static void to_the_host(void **state)
{
	const uint8_t no_packet[20] = {0};

	attach_device(TUN);
	assert_int_equal(look(&w, dev->id), 0);
	assert_int_equal(write_number(&o, 1, 100), 100);
	assert_int_equal(write_now(&o, no_packet, sizeof(no_packet)), -EINVAL);
	fake.send_room = 0;
	fake.send_error = -ENOBUFS;
	assert_int_equal(write_number(&o, 3, 100), -ENOBUFS);
	assert_int_equal(w.n, 3);
	assert_seen(&w, 0, w.seen[0].number, TUND_CAPTURE_TO_HOST,
		    TUND_CAPTURE_PASSED, 0);
	assert_seen(&w, 1, 0, TUND_CAPTURE_TO_HOST, TUND_DROP_INVALID, 0);
	assert_seen(&w, 2, w.seen[2].number, TUND_CAPTURE_TO_HOST,
		    TUND_DROP_NOBUFS, 0);
	/* What had to wait is shown when it goes, and then only. */
	fake.send_error = -EAGAIN;
	assert_int_equal(write_number(&o, 4, 100), 100);
	assert_int_equal(w.n, 3);
	fake.send_room = 100;
	fake.send_error = 0;
	device_can_send(dev);
	assert_int_equal(w.n, 4);
	assert_seen(&w, 3, w.seen[3].number, TUND_CAPTURE_TO_HOST,
		    TUND_CAPTURE_PASSED, 0);
	look_away(&w);
	put_device();
	close_file(&o);
}

/* ---- who looks ---- */

static void several(void **state)
{
	static struct watcher others[DEV_MAX_TAPS];
	struct watcher one_more;

	attach_device(TUN);
	assert_int_equal(look(&one_more, dev->id + 1), -ENODEV);
	for (int i = 0; i < DEV_MAX_TAPS; i++)
		assert_int_equal(look(&others[i], dev->id), 0);
	assert_int_equal(look(&one_more, dev->id), -EBUSY);
	look_away(&others[0]);
	assert_int_equal(look(&one_more, dev->id), 0);
	fake_input(lnk, 1, 100);
	assert_int_equal(others[0].n, 0);
	for (int i = 1; i < DEV_MAX_TAPS; i++) {
		assert_int_equal(others[i].n, 1);
		look_away(&others[i]);
	}
	/* The device's end is told, and lets none begin. */
	put_device();
	close_file(&o);
	assert_true(counter_wait(&one_more.gone, 1));
	look_away(&one_more);
}

/* Whoever has less right leaves places to those who have more. */
static void rights(void **state)
{
	static const enum dev_tap_right fill[] = {
		DEV_TAP_ROOT,  DEV_TAP_ROOT,  DEV_TAP_ROOT,  DEV_TAP_ROOT,
		DEV_TAP_GUEST, DEV_TAP_GUEST, DEV_TAP_GUEST, DEV_TAP_GUEST,
		DEV_TAP_GUEST, DEV_TAP_GUEST, DEV_TAP_GUEST, DEV_TAP_GUEST,
		DEV_TAP_OWNER, DEV_TAP_OWNER, DEV_TAP_OWNER, DEV_TAP_OWNER,
	};
	static struct watcher of[ARRAY_SIZE(fill)];
	struct watcher one_more;

	attach_device(TUN);
	for (size_t i = 0; i < ARRAY_SIZE(fill); i++) {
		if (fill[i] == DEV_TAP_OWNER)
			assert_int_equal(
				look_as(&one_more, dev->id, DEV_TAP_GUEST),
				-EBUSY);
		assert_int_equal(look_as(&of[i], dev->id, fill[i]), 0);
	}
	assert_int_equal(look_as(&one_more, dev->id, DEV_TAP_ROOT), -EBUSY);
	/* What was root's is nobody else's. */
	look_away(&of[0]);
	assert_int_equal(look_as(&one_more, dev->id, DEV_TAP_GUEST), -EBUSY);
	assert_int_equal(look_as(&one_more, dev->id, DEV_TAP_OWNER), -EBUSY);
	assert_int_equal(look_as(&of[0], dev->id, DEV_TAP_ROOT), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fill); i++)
		look_away(&of[i]);
	put_device();
	close_file(&o);
}

static void assert_sees(struct watcher *of, bool sees)
{
	struct pkt *pkt = fake_packet(7, 60, 0);
	const struct host_sight sight = {.time_ns = 5, .pkt = pkt};
	unsigned int before = of->n;

	device_looked_at(dev, &sight, 1);
	assert_int_equal(of->n, before + sees);
	pkt_free(pkt);
}

/* Who has none any more sees no more, and keeps no place. */
static void right_ends(void **state)
{
	enum { ALICE = 1000, BOB, CAROL };
	struct watcher guests[8], late;

	attach_device(TUN);
	assert_int_equal(dev_set_owner(o.file, ALICE), 0);
	assert_int_equal(look_for(&w, dev->id, ALICE, DEV_TAP_OWNER), 0);
	assert_sees(&w, true);
	/* Another right will do, and has the places of that. */
	assert_int_equal(dev_set_group(o.file, ALICE), 0);
	assert_int_equal(dev_set_owner(o.file, BOB), 0);
	assert_sees(&w, true);
	assert_int_equal(w.tap.right, DEV_TAP_GUEST);
	for (int i = 0; i < 7; i++)
		assert_int_equal(look_as(&guests[i], dev->id, DEV_TAP_GUEST),
				 0);
	assert_int_equal(look_as(&late, dev->id, DEV_TAP_GUEST), -EBUSY);

	assert_int_equal(dev_set_group(o.file, CAROL), 0);
	assert_true(counter_wait(&w.revoked, 1));
	assert_sees(&w, false);
	assert_int_equal(look_as(&guests[7], dev->id, DEV_TAP_GUEST), 0);
	for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
		assert_sees(&guests[i], true);
		look_away(&guests[i]);
	}
	look_away(&w);

	/* It was his when he asked, and is not when it begins. */
	assert_int_equal(look_for(&w, dev->id, ALICE, DEV_TAP_OWNER), 0);
	assert_true(counter_wait(&w.revoked, 1));
	assert_sees(&w, false);
	look_away(&w);
	put_device();
	close_file(&o);
}

static bool is_captured(struct host_link *link, bool wanted)
{
	/* It is done a little later, in another thread. */
	for (int i = 0; i < PATIENCE_S * 1000; i++) {
		if (link->captured == wanted)
			return true;
		usleep(1000);
	}
	return false;
}

/* The host looks exactly as long as packets go past us and somebody looks. */
static void past_us(void **state)
{
	struct pkt *pkt = fake_packet(7, 60, 0);
	const struct host_sight sight = {
		.time_ns = 5,
		.pkt = pkt,
		.to_host = true,
	};

	attach_device(TUN);
	assert_int_equal(look(&w, dev->id), 0);
	assert_false(lnk->captured);
	go_direct();
	assert_true(lnk->captured);
	device_looked_at(dev, &sight, 1);
	assert_seen(&w, 0, 7, TUND_CAPTURE_TO_HOST | TUND_CAPTURE_DIRECT,
		    TUND_CAPTURE_PASSED, TUND_CAPTURE_NO_QUEUE);
	device_overlooked(dev, 3);
	assert_int_equal(w.missed, 3);
	look_away(&w);
	assert_true(is_captured(lnk, false));
	assert_int_equal(look(&w, dev->id), 0);
	assert_true(lnk->captured);
	fake_direct_close(lnk);
	assert_true(is_captured(lnk, false));
	look_away(&w);
	pkt_free(pkt);
	put_device();
	close_file(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_the_program, fake_set_up,
						direct_tear_down),
		cmocka_unit_test_setup_teardown(to_nobody, fake_set_up,
						direct_tear_down),
		cmocka_unit_test_setup_teardown(to_the_host, fake_set_up,
						direct_tear_down),
		cmocka_unit_test_setup_teardown(several, fake_set_up,
						direct_tear_down),
		cmocka_unit_test_setup_teardown(rights, fake_set_up,
						direct_tear_down),
		cmocka_unit_test_setup_teardown(right_ends, fake_set_up,
						direct_tear_down),
		cmocka_unit_test_setup_teardown(past_us, fake_set_up,
						direct_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
