/* SPDX-License-Identifier: MIT */
/* What the cases of tun-trace share: lines, waiting, interfaces, packets; not
 * a test library, since it judges nothing and only records. */
#ifndef TUN_TRACE_H
#define TUN_TRACE_H

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct trace_case {
	const char *name;
	void (*run)(void);
};

/* Each table ends with a NULL name. */
extern const struct trace_case name_cases[];
extern const struct trace_case attach_cases[];
extern const struct trace_case ioctl_cases[];
extern const struct trace_case io_cases[];
extern const struct trace_case read_cases[];
extern const struct trace_case file_cases[];
extern const struct trace_case packet_cases[];
extern const struct trace_case interface_cases[];
extern const struct trace_case poll_cases[];
extern const struct trace_case epoll_cases[];
extern const struct trace_case block_cases[];
extern const struct trace_case signal_cases[];
extern const struct trace_case lifetime_cases[];
extern const struct trace_case netns_cases[];
extern const struct trace_case permission_cases[];
extern const struct trace_case uring_cases[];
extern const struct trace_case queue_cases[];
extern const struct trace_case detached_cases[];
extern const struct trace_case flow_cases[];
extern const struct trace_case offload_cases[];
extern const struct trace_case vnet_cases[];
extern const struct trace_case csum_cases[];
extern const struct trace_case gso_write_cases[];
extern const struct trace_case gso_read_cases[];
extern const struct trace_case gso_tcp_cases[];
extern const struct trace_case filter_cases[];
extern const struct trace_case txfilter_cases[];
extern const struct trace_case ebpf_cases[];
extern const struct trace_case napi_cases[];
extern const struct trace_case persist_cases[];
extern const struct trace_case owner_cases[];
extern const struct trace_case link_cases[];
extern const struct trace_case counter_cases[];
extern const struct trace_case report_cases[];
extern const struct trace_case async_cases[];
extern const struct trace_case netnsfd_cases[];
extern const struct trace_case vlan_cases[];
extern const struct trace_case compat_cases[];

extern const char *trace_device;

/* ---- lines -------------------------------------------------------------- */

void trace_begin(const char *case_name);
void say(const char *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* RET is a result, or a negative errno that is printed by its name. */
void say_rc(const char *step, long ret);
/* One line for a step that needs more than one word to be unique. */
void say_rc2(const char *group, const char *step, long ret);
/* The set-up of a case failed, so that nothing it would say has a meaning. */
void give_up(const char *what, long ret) __attribute__((noreturn));

/* The return value of a system call, as the rest of this program wants it. */
static inline long rc(long ret)
{
	return ret < 0 ? -(long)errno : ret;
}

/* As say(), with a step made of GROUP and STEP. */
void say2(const char *group, const char *step, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- waiting ------------------------------------------------------------ */

/* For what one column may never see. */
#define DEADLINE_MS 3000
/* For what comes in all of them, however busy the machine is. */
#define PATIENCE_MS 6000

/* Until PRED(ARG) holds, for at most MS; true if it came to hold. */
bool wait_until(bool (*pred)(void *arg), void *arg, int ms);
/* Until thread TID sleeps in system call NR. */
bool wait_blocked(pid_t tid, long nr);
bool blocked_now(pid_t tid, long nr);
/* Until poll(2) for everything gives WANT; the last result is returned. */
unsigned int wait_revents(int fd, unsigned int want);
/* What poll(2) says now when asked for everything. */
unsigned int revents_now(int fd);
bool wait_gone(const char *name);

/* An address that faults; the compiler need not know that it does. */
void *nowhere(void);

/* A child that dies with its parent; FN's return is its exit status. */
pid_t spawn(int (*fn)(void *arg), void *arg);
/* Exit status, or 128 + signal, or -ETIMEDOUT when it had to be left. */
int reap(pid_t pid);

/* A descriptor over a Unix socket. */
void send_fd(int sock, int fd);
int recv_fd(int sock);

/* A thread that does one read and tells. */
struct reader {
	pthread_t thread;
	int fd;
	size_t size;
	pid_t tid;
	long ret;
	uint8_t buf[2048];
};
void reader_start(struct reader *r, int fd, size_t size);
/* As the former, and returns only when the thread sleeps in read(2). */
void reader_block(struct reader *r, int fd, size_t size);
/* The result of the read, or -ETIMEDOUT when it does not come. */
long reader_join(struct reader *r);
/* One read that may wait for ever: then -ETIMEDOUT, and it is left waiting. */
long read_in_time(int fd, size_t size);

/* ---- the device --------------------------------------------------------- */

int tun_open(int oflags);
/* 0 or a negative errno; RET_NAME (may be NULL) gets what was written back. */
int tun_attach(int fd, const char *name, int flags, char *ret_name);
/* Both, or the end of the case. */
int tun_new(const char *name, int flags, int oflags);
/* The flags of TUNGETIFF, or a negative errno. */
int tun_flags(int fd);
void say_tun_flags(const char *step, int fd);
void say_tun_flags2(const char *group, const char *step, int fd);

/* ---- interfaces, of the current network namespace ----------------------- */

int if_flags(const char *name);
int if_up(const char *name);
int if_down(const char *name);
int if_address(const char *name, const char *addr);
int if_rename(const char *from, const char *to);
int if_set_mtu(const char *name, int mtu);
int if_mtu(const char *name);
int if_set_qlen(const char *name, int qlen);
int if_qlen(const char *name);
int if_hwaddr(const char *name, uint16_t *ret_family, uint8_t *ret_mac);
int if_neighbour(const char *name, const char *addr);
int if_delete(const char *name);
int if_move(const char *name, int netns_fd);
int if_address6(const char *name, const char *addr);
/* The kind that rtnetlink names, "" if none. */
int if_kind(const char *name, char *ret_kind, size_t size);

enum if_stat {
	RX_BYTES = 0,
	RX_PACKETS = 1,
	RX_DROPPED = 3,
	TX_BYTES = 8,
	TX_PACKETS = 9,
	TX_DROPPED = 11,
};
long if_stat(const char *name, enum if_stat which);
/* Until the counter is WANT, shortly; what it is then. */
long wait_stat(const char *name, enum if_stat which, long want);

/* What only rtnetlink tells; the attribute's value, or a negative errno. */
long if_attr(const char *name, unsigned short type);
/* The length of an attribute's data. */
long if_attr_len(const char *name, unsigned short type);
/* The same of the attributes in IFLA_INFO_DATA. */
long if_info(const char *name, unsigned short type);
struct rtnl_link_stats64;
int if_stats64(const char *name, struct rtnl_link_stats64 *ret_stats);
/* RTM_NEWLINK of this kind. */
int if_create(const char *name, const char *kind);
int if_set_attr(const char *name, unsigned short type, const void *data,
		size_t size);
/* 1 on, 0 off, or a negative errno. */
int if_feature(const char *name, const char *feature);
/* Asks for it to be on or off. */
int if_set_feature(const char *name, const char *feature, bool on);
/* Until the interface has, or has no, IFF_RUNNING; "running" or "not". */
const char *wait_running(const char *name, bool want);

/* ---- credentials -------------------------------------------------------- */

#define NOBODY 65534

void be_user(unsigned int uid, unsigned int gid);
void be_nobody(void);

/* A new network namespace as a descriptor; the caller stays where it is. */
int netns_new(void);
int netns_here(void);
void netns_enter(int fd);
void no_ipv6(void);
int put_file(const char *path, const char *text);

/* ---- packets ------------------------------------------------------------ */

#define HOST_ADDR  "10.9.0.1"
#define APP_ADDR   "10.9.0.2"
#define HOST_ADDR6 "fd09::1"
#define APP_ADDR6  "fd09::2"
#define HOST_PORT  6000
#define APP_PORT   5000
#define UDP4_HDR   28
#define UDP6_HDR   48
#define PACKET_MAX 70000

/* A datagram from the application to the host; returns its whole length. */
size_t make_udp4(uint8_t *buf, size_t payload);
size_t make_udp6(uint8_t *buf, size_t payload);
/* The same behind an Ethernet header to MAC; adds 14. */
size_t make_frame4(uint8_t *buf, const uint8_t *mac, size_t payload);
/* "ok", or what is wrong with the packet and its checksums. */
const char *check_ip(const uint8_t *p, size_t len);

/* An attached device, and a bound socket of the host behind it. */
struct rig {
	int fd;
	int sock;
	int flags;
	char name[IFNAMSIZ];
	uint8_t mac[6];
};
/* Attach only; the interface stays down. */
void rig_make(struct rig *rig, int flags, int oflags);
/* Address, up, socket; returns when the device says that it is writable, and
 * the interface that it runs, which may be a moment later. */
void rig_up(struct rig *rig);
void rig_new(struct rig *rig, int flags, int oflags);
/* Host to application. */
long host_send(int sock, size_t payload);
/* What the host receives, its length, or -ETIMEDOUT. */
long host_recv(int sock);
int host_socket(void);
/* One packet read after poll(2) has announced it. */
long app_read(int fd, void *buf, size_t size);

/* One frame from the host's packet socket to MAC; its length. */
long host_frame(const char *name, const uint8_t *mac, size_t len);
/* The checksum of an IPv4 packet's UDP or TCP, as sum16 has it. */
unsigned int partial_sum4(const uint8_t *ip, size_t len);
void put16(uint8_t *p, unsigned int value);
unsigned int get16(const uint8_t *p);
void put32(uint8_t *p, uint32_t value);
uint32_t get32(const uint8_t *p);
/* Correct checksums of an IPv4 packet, made anew. */
void finish4(uint8_t *ip, size_t len);

#endif
