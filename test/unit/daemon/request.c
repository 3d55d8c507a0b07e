/* SPDX-License-Identifier: MIT */
/* request.c - open files and requests for the tests of dev/; see fake.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fake.h"

/* ---- open files ---- */

static void on_wake(void *cookie)
{
	struct opened *o = cookie;

	counter_add(&o->wakes, 1);
}

static void on_release(void *cookie)
{
	struct opened *o = cookie;

	counter_add(&o->released, 1);
}

void open_file_in(struct opened *o, const char *ns_path)
{
	const struct dev_opener opener = {.pid = getpid(), .command = "test"};
	int ns_fd = open(ns_path, O_RDONLY | O_CLOEXEC);

	assert_true(ns_fd >= 0);
	counter_init(&o->wakes);
	counter_init(&o->released);
	assert_int_equal(dev_file_new(table, ns_fd, &opener, on_wake,
				      on_release, o, &o->file),
			 0);
	assert_int_equal(dev_file_ns(o->file), ns_fd);
}

void open_file(struct opened *o)
{
	open_file_in(o, "/proc/self/ns/net");
}

void set_mode(struct opened *o, uint32_t flags, uint32_t max_records)
{
	const struct tund_mode mode = {flags, max_records};

	assert_int_equal(dev_file_set_mode(o->file, &mode), 0);
}

void close_file(struct opened *o)
{
	dev_file_close(o->file);
	assert_int_equal(counter_value(&o->released), 0);
	dev_file_unref(o->file);
	/* Who looks at the holder of a name has a reference for a moment. */
	assert_true(counter_wait(&o->released, 1));
	assert_int_equal(counter_value(&o->released), 1);
	counter_destroy(&o->released);
	counter_destroy(&o->wakes);
}

int attach_as(struct opened *o, const char *name, unsigned int flags,
	      bool net_admin, uint64_t deadline_ms, char ret_name[IFNAMSIZ])
{
	const struct dev_caller caller = {.net_admin = net_admin};
	char in[IFNAMSIZ] = "";

	strncpy(in, name, IFNAMSIZ - 1);
	return dev_file_attach(o->file, in, flags, &caller, deadline_ms,
			       ret_name);
}

int attach_by(struct opened *o, const char *name, unsigned int flags,
	      const struct dev_caller *caller)
{
	char in[IFNAMSIZ] = "", out[IFNAMSIZ];

	strncpy(in, name, IFNAMSIZ - 1);
	return dev_file_attach(o->file, in, flags, caller, 0, out);
}

int attach_once(struct opened *o, const char *name, unsigned int flags,
		bool final)
{
	char out[IFNAMSIZ];

	return attach_as(o, name, flags, true, final ? 0 : UINT64_MAX, out);
}

int attach(struct opened *o, const char *name, unsigned int flags)
{
	for (;;) {
		/* One that leaves from here on is not missed. */
		unsigned int left = counter_value(&fake.left);
		int r = attach_once(o, name, flags, false);

		if (r != DEV_ATTACH_AGAIN)
			return r;
		if (!counter_wait(&fake.left, left + 1))
			return -ETIME;
	}
}

struct host_link *attach_up(struct opened *o, const char *name,
			    unsigned int flags)
{
	struct host_link *link;

	assert_int_equal(attach(o, name, flags), 0);
	link = fake_link(name);
	fake_set_up_down(link, true);
	return link;
}

/* ---- requests ---- */

/* The request is gone before anybody hears of it. */
static void end_request(struct request *request, struct answer *answer)
{
	if (request->on_answer)
		request->on_answer(request);
	free(request);
	counter_add(&answer->done, 1);
}

static int on_deliver(struct dev_io *io, const struct iovec *iov, int n_iov)
{
	struct request *request = container_of(io, struct request, io);
	struct answer *answer = request->answer;
	int delivery = request->delivery;
	size_t used = 0;

	for (int i = 0; i < n_iov; i++) {
		if (used + iov[i].iov_len <= ANSWER_MAX)
			memcpy(answer->data + used, iov[i].iov_base,
			       iov[i].iov_len);
		used += iov[i].iov_len;
	}
	answer->n++;
	answer->delivered = true;
	answer->result = delivery < 0 ? delivery : (ssize_t)used;
	answer->n_iov = n_iov;
	end_request(request, answer);
	return delivery;
}

static void on_done(struct dev_io *io, ssize_t result)
{
	struct request *request = container_of(io, struct request, io);
	struct answer *answer = request->answer;

	answer->n++;
	answer->result = result;
	end_request(request, answer);
}

struct request *new_request(struct answer *answer, size_t size)
{
	struct request *request = must_alloc(sizeof(*request));

	memset(answer, 0, sizeof(*answer));
	counter_init(&answer->done);
	request->answer = answer;
	request->io.deliver = on_deliver;
	request->io.done = on_done;
	request->io.size = size;
	return request;
}

int start_read(struct opened *o, struct request *request, bool nonblock)
{
	return dev_read(o->file, &request->io, nonblock);
}

ssize_t read_now(struct opened *o, size_t size, struct answer *answer)
{
	struct request *request = new_request(answer, size);

	assert_int_equal(start_read(o, request, true), DEV_ANSWERED);
	assert_int_equal(answer->n, 1);
	return answer->result;
}

/* A copy of just that size, gone after the call, for the sanitizer. */
static int start_write(struct opened *o, struct request *request,
		       const void *data, size_t len, bool nonblock)
{
	void *copy = must_alloc(len);
	int r;

	if (len > 0)
		memcpy(copy, data, len);
	r = dev_write(o->file, &request->io, copy, len, nonblock);
	free(copy);
	return r;
}

ssize_t write_now(struct opened *o, const void *data, size_t len)
{
	struct answer answer;
	struct request *request = new_request(&answer, 0);

	assert_int_equal(start_write(o, request, data, len, true),
			 DEV_ANSWERED);
	assert_int_equal(answer.n, 1);
	assert_false(answer.delivered);
	return answer.result;
}

/* The low byte says IPv4; the number is shifted past it. */
static void fill_number(uint8_t *data, size_t len, uint32_t number)
{
	uint32_t word = number << 8 | 0x45;

	memset(data, 0x45, len);
	memcpy(data, &word, sizeof(word));
}

ssize_t write_number(struct opened *o, uint32_t number, size_t len)
{
	uint8_t data[ANSWER_MAX];

	assert_true(len >= sizeof(number) && len <= sizeof(data));
	fill_number(data, len, number);
	return write_now(o, data, len);
}

struct request *park_read(struct opened *o, struct answer *answer, size_t size,
			  bool arm)
{
	struct request *request = new_request(answer, size);

	assert_int_equal(start_read(o, request, false), DEV_PARKED);
	assert_int_equal(answer->n, 0);
	if (arm)
		dev_io_arm(&request->io);
	return request;
}

struct request *park_write(struct opened *o, struct answer *answer,
			   uint32_t number, bool arm)
{
	struct request *request = new_request(answer, 0);
	uint8_t data[100];

	fill_number(data, sizeof(data), number);
	assert_int_equal(start_write(o, request, data, sizeof(data), false),
			 DEV_PARKED);
	assert_int_equal(answer->n, 0);
	if (arm)
		dev_io_arm(&request->io);
	return request;
}

static bool is_request(const struct dev_io *io, const void *key)
{
	return container_of(io, const struct request, io) == key;
}

void interrupt_request(struct opened *o, const struct request *request)
{
	dev_io_interrupt(o->file, is_request, request);
}

void assert_answered(const struct answer *answer, ssize_t result)
{
	assert_int_equal(answer->n, 1);
	assert_int_equal(answer->result, result);
}

void assert_delivered(const struct answer *answer, uint32_t number)
{
	assert_int_equal(answer->n, 1);
	assert_true(answer->delivered);
	assert_true(answer->result >= (ssize_t)sizeof(number));
	assert_int_equal(fake_number(answer->data), number);
}

struct tund_stats stats_of(struct opened *o)
{
	struct tund_stats stats;

	assert_int_equal(dev_file_stats(o->file, &stats), 0);
	return stats;
}
