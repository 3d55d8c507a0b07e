/* SPDX-License-Identifier: MIT */
/*
 * fake.h - a host for the tests of dev/: the table of calls with interfaces
 * that are only names, and open files and requests that remember their end.
 */
#ifndef TUND_TEST_FAKE_H
#define TUND_TEST_FAKE_H

#include <linux/if_tun.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "dev/device.h"
#include "dev/file.h"
#include "dev/io.h"
#include "unit.h"

/* ---- the host ---- */

struct host_link {
	struct list node; /* in fake.links */
	struct device *owner;
	struct host_state state;
	_Atomic uint64_t last_id, switched_id; /* direct sockets */
	atomic_bool switched_on;
	atomic_bool started, stopped, carrier, direct, filter, captured;
	atomic_bool deaf;     /* between pause() and resume() */
	atomic_bool changing; /* one of these or settle() runs */
	atomic_uint offload, filter_len, filter_first; /* its first code */
	struct host_direct how;	   /* of the last direct_begin() */
	struct tund_config config; /* the last one, of so many */
	unsigned int configured;
};

#define FAKE_MAX_SENT 1024

/* What was sent; the packets are copies. */
struct fake_sent {
	unsigned int n;
	struct pkt *pkts[FAKE_MAX_SENT];
};

struct fake {
	pthread_mutex_t mutex; /* links, names, sent */
	struct list links;
	struct host_spec spec; /* of the last link_new() */
	char spec_name[IFNAMSIZ];
	int next_ifindex;
	const char *foreign; /* an interface of somebody else, or NULL */
	struct fake_sent sent;

	/* Errors to give, or 0. */
	int ns_error, find_error, new_error, start_error;
	int carrier_error, mac_error, ns_of_error, offload_error;
	int filter_error, direct_error, configure_error;
	/* send() takes so many packets, and answers then with the error. */
	atomic_int send_room;
	atomic_int send_error;
	/* The packet with that number of write_number() gets it, unless 0. */
	uint32_t refused_number;
	int elsewhere_fd; /* where an interface is that was moved */
	/* What drops() tells. */
	uint64_t socket_drops, backlog_drops;
	/* What counters() tells. */
	struct host_counters counters;

	/* Called in the calls of these names, with no lock held, if set. */
	void (*on_find)(void);
	void (*on_found)(void);
	void (*on_new)(void);
	void (*on_start)(struct host_link *link);
	void (*on_send)(struct host_link *link);
	void (*on_want_send)(struct host_link *link);
	void (*on_sync)(struct host_link *link);
	void (*on_carrier)(struct host_link *link);
	void (*on_pause)(struct host_link *link);
	void (*on_settle)(struct host_link *link);
	/* Before anything else, even an error. */
	void (*on_filter)(struct host_link *link);
	void (*on_direct)(struct host_link *link);
	/* link_stop() waits until it is 1 or more, unless that is NULL. */
	struct counter *stop_gate;

	struct counter finds, wants, syncs, stops, mends, direct_ends;
	struct counter pauses, settles, resumes;
	struct counter left; /* how often an attach may succeed anew */
	atomic_int open_ns, live_links;
};

extern struct fake fake;
extern const struct host_ops fake_ops;

/* For a test that has a dev_table: set up before, torn down after it. */
extern struct dev_table *table;
int fake_set_up(void **state);
int fake_tear_down(void **state);
/* Frees the table before the end of the test. */
void fake_free_table(void);

/* The link of that interface; fails when there is none. */
struct host_link *fake_link(const char *name);
bool fake_has(const char *name);
/* Interfaces that there are. */
int fake_links(void);

/* The interface changes, and the device is told. */
void fake_set_up_down(struct host_link *link, bool up);
void fake_change(struct host_link *link, const struct host_state *state);
/* The last copy of the direct socket is closed. */
void fake_direct_close(struct host_link *link);
/* The interface is deleted by somebody else. */
void fake_delete(const char *name);

/* A packet for the application; its first bytes are the number. */
struct pkt *fake_packet(uint32_t number, size_t len, uint16_t proto);
uint32_t fake_number(const void *data);
void fake_input(struct host_link *link, uint32_t number, size_t len);

/*
 * A packet of IPv4 and UDP of that flow, in the one or the other direction; the
 * number is its payload.
 */
#define FAKE_UDP_LEN 32
void fake_udp(uint8_t ret_data[FAKE_UDP_LEN], unsigned int flow, bool to_host,
	      uint32_t number);
uint32_t fake_udp_number(const void *data);
struct pkt *fake_udp_packet(unsigned int flow, uint32_t number);
void fake_input_udp(struct host_link *link, unsigned int flow, uint32_t number);

/* ---- open files ---- */

struct opened {
	struct dev_file *file;
	struct counter wakes, released;
};

/* In the test's own network namespace, or in that of another file. */
void open_file(struct opened *o);
void open_file_in(struct opened *o, const char *ns_path);
/* TUND_IOC_MODE, which must succeed. */
void set_mode(struct opened *o, uint32_t flags, uint32_t max_records);
/* Closes it, and waits until the last reference is gone. */
void close_file(struct opened *o);

/*
 * TUNSETIFF by somebody with the capability; returns the result. Comes again
 * when it is told to.
 */
int attach(struct opened *o, const char *name, unsigned int flags);
/* Just once, and the answer is final or not. */
int attach_once(struct opened *o, const char *name, unsigned int flags,
		bool final);
int attach_as(struct opened *o, const char *name, unsigned int flags,
	      bool net_admin, uint64_t deadline_ms, char ret_name[IFNAMSIZ]);
int attach_by(struct opened *o, const char *name, unsigned int flags,
	      const struct dev_caller *caller);
/* The same, which must succeed; the interface is up unless `down`. */
struct host_link *attach_up(struct opened *o, const char *name,
			    unsigned int flags);

/* ---- requests ---- */

#define ANSWER_MAX 2048

/* What became of a request. */
struct answer {
	unsigned int n;
	bool delivered;
	ssize_t result; /* bytes, or a negative errno */
	int n_iov;
	uint8_t data[ANSWER_MAX];
	struct counter done;
};

/* One on the heap, which is freed when it is answered. */
struct request {
	struct dev_io io;
	struct answer *answer;
	/* What the delivery returns: a negative errno if nobody is there. */
	int delivery;
	/* Called in the answer, with no lock held, if set. */
	void (*on_answer)(struct request *request);
};

struct request *new_request(struct answer *answer, size_t size);

/* Returns the outcome of dev_read(); a parked request is not yet armed. */
int start_read(struct opened *o, struct request *request, bool nonblock);
/* Each gives the result. What is parked is a failure. */
ssize_t read_now(struct opened *o, size_t size, struct answer *answer);
ssize_t write_now(struct opened *o, const void *data, size_t len);
/* A write of `len` bytes of IPv4 or of a frame, with that number in it. */
ssize_t write_number(struct opened *o, uint32_t number, size_t len);

/* Parks a read or a write of a number, and arms it unless told otherwise. */
struct request *park_read(struct opened *o, struct answer *answer, size_t size,
			  bool arm);
struct request *park_write(struct opened *o, struct answer *answer,
			   uint32_t number, bool arm);
/* Interrupts that very request. */
void interrupt_request(struct opened *o, const struct request *request);

/* Answered once, so; and the result is as expected. */
void assert_answered(const struct answer *answer, ssize_t result);
/* The packet of that number was delivered. */
void assert_delivered(const struct answer *answer, uint32_t number);

/* The counters: of the file's device, or of a device that is held. */
struct tund_stats stats_of(struct opened *o);

#endif
