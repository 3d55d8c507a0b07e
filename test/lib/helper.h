/* SPDX-License-Identifier: MIT */
/*
 * helper.h - what the commands of tund-test-helper share: options, counters
 * that the test reads while the helper runs, a device attached and
 * configured. It is a test tool, not an example of good manners.
 */
#ifndef TEST_HELPER_H
#define TEST_HELPER_H

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUFFER_SIZE 70000
#define MAX_FLOWS   16

/*
 * The file given by --stat: 64-bit words, in this order. COUNTERS in
 * tundtest.py names them in the same order.
 */
enum counter {
	C_READY, /* 1: attached and configured, the loop begins */
	C_TX,	 /* packets written or sent without an error */
	C_TX_BYTES,
	C_TX_ERRORS, /* writes that failed */
	C_TX_ERRNO,  /* the last one's errno */
	C_RX,	     /* packets of the test received, correct */
	C_RX_BYTES,
	C_RX_OTHER,  /* packets that are not of the test */
	C_CORRUPT,   /* packets of the test that are damaged */
	C_REORDERED, /* packets that came after a later one, or twice */
	C_LOST,	     /* gaps in the sequence, seen so far */
	C_RX_ERRORS, /* reads that failed, EAGAIN and EINTR aside */
	C_RX_ERRNO,
	C_EINTR,   /* calls interrupted by a signal */
	C_EVENTS,  /* returns of poll, select or epoll_wait with an event */
	C_POLLERR, /* such returns with an error event */
	C_DONE,	   /* 1: the loop has ended by itself */
	C_CALLS,   /* calls made, whatever they returned */
	C_LARGEST, /* bytes of the largest read of `forward` */
	C_MAX
};

struct options {
	const char *device;
	const char *name;
	const char *netns;
	const char *mode;
	const char *addr; /* of the interface: A.B.C.D/LEN; brings it up */
	const char *src, *dst;
	int fd; /* inherited and attached, or -1 */
	bool tap, pi, vnet_hdr, nonblock, verbose;
	unsigned int sport, dport, flows, min, max, rate, threads;
	uint64_t count; /* 0: until SIGTERM */
	uint64_t seed;
	uint64_t retry; /* ms for which a failing TUNSETIFF is repeated */
	unsigned int nargs;
	char **args;
};

extern struct options opt;
extern volatile sig_atomic_t stopping;

void count(enum counter c, uint64_t n);
void count_set(enum counter c, uint64_t value);
uint64_t counter(enum counter c);
/* Counts the result of a write or send, and says whether it succeeded. */
bool count_tx(long result);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format,
							 ...);

/* Enters the network namespace at path; NULL stays here. */
void enter_netns(const char *path);
/* Opens opt.device, or path, and attaches it as the options say. */
int device_attach(const char *device, const char *name, bool tap, bool pi);
/* Gives the interface an IPv4 address and brings it up. */
void interface_up(const char *name, const char *address);
void hardware_address(const char *name, uint8_t mac[6]);
/* opt.fd, or a descriptor attached and configured as the options say. */
int device_of_options(char name[16]);

/* SIGTERM sets `stopping` and goes on interrupting, so that no call stays. */
void stop_on_sigterm(void);
void pace(uint64_t *next);
uint64_t now_ns(void);
uint64_t random_next(uint64_t *state);

/* packet.c: packets that carry a flow and a sequence number. */
struct frame_format {
	bool v6, tap, pi;
	struct in6_addr src, dst;  /* IPv4: in the first four bytes */
	unsigned int sport, dport; /* of flow 0: a flow has its own sport */
	uint8_t src_mac[6], dst_mac[6];
};

struct flow_check {
	uint64_t next[MAX_FLOWS]; /* the lowest number still to come */
};

void frame_format_of_options(struct frame_format *f);
unsigned int payload_size(unsigned int flow, uint64_t seq);
void payload_fill(uint8_t *buf, unsigned int size, unsigned int flow,
		  uint64_t seq);
/* Counts a payload that arrived; false and counted when it is damaged. */
bool payload_check(struct flow_check *check, const uint8_t *buf,
		   unsigned int size, unsigned int flow);
size_t frame_build(const struct frame_format *f, uint8_t *buf,
		   unsigned int flow, uint64_t seq);
/* Takes one packet that a device delivered apart and counts it. */
void frame_check(const struct frame_format *f, struct flow_check *check,
		 const uint8_t *buf, size_t size);

int command_udp_send(void);
int command_udp_recv(void);
int command_tun_send(void);
int command_tun_recv(void);
int command_client(void);
int command_forward(void);
int command_hostile(void);
int command_answer(void);

#endif
