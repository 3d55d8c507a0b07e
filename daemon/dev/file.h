/* SPDX-License-Identifier: MIT */
/*
 * file.h - an open file of the device node: which network namespace it was
 * opened in and which device it is attached to. It does not move packets: see
 * io.h.
 */
#ifndef TUND_DEV_FILE_H
#define TUND_DEV_FILE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dev_file;
struct dev_queue;
struct dev_table;
struct device;
struct tund_device;
struct tund_mode;
struct tund_stats;

/*
 * Whose a limit is: a user, by his number, or all in a user namespace that root
 * has made for others, by its own number.
 */
#define DEV_ACCOUNT_NS (UINT64_C(1) << 32)

/* Who has opened the file, and may have given it away since. */
struct dev_opener {
	pid_t pid; /* the process; 0: not known */
	uid_t uid;
	gid_t gid;
	uint64_t account; /* on which the file goes */
	uint64_t started; /* clock ticks since boot, with which a pid is unique
			   */
	char command[16];
};

/* Who asks, as judged at the time of the call. */
struct dev_caller {
	/* CAP_NET_ADMIN in the user namespace that owns the file's network
	 * namespace. */
	bool net_admin;
	/* The same in the initial user namespace. */
	bool init_net_admin;
	uid_t uid;
	uint64_t account;
	const gid_t *groups; /* the effective one, too */
	size_t n_groups;
	/* What policies ask for; NULL and 0 if none does, or nobody knows. */
	const char *cgroup;
	dev_t exe_dev;
	ino_t exe_ino;
};

/*
 * Takes `ns_fd`, the opener's network namespace. `wake` is called, with no
 * lock held, when what poll would say may have changed; it must not call back.
 */
int dev_file_new(struct dev_table *table, int ns_fd,
		 const struct dev_opener *opener, void (*wake)(void *cookie),
		 void (*release)(void *cookie), void *cookie,
		 struct dev_file **ret_file);
void dev_file_ref(struct dev_file *file);
/* With the last reference `release` is called for the cookie. */
void dev_file_unref(struct dev_file *file);

/* The descriptor that names the file's network namespace; the file owns it. */
int dev_file_ns(const struct dev_file *file);

/*
 * FUSE tells of a file's end only after close() has returned. Who attaches
 * where somebody is perhaps just closing is made to come again, for so long.
 */
#define DEV_ATTACH_MS 500
/* So much longer for a name whose holder is surely on its way out. */
#define DEV_LEAVE_MS 10000

enum {
	DEV_ATTACHED = 0,
	DEV_ATTACH_AGAIN = 1, /* when a device has left, or at the deadline */
};

/*
 * TUNSETIFF: attaches the file to the interface `name`, which may be empty or
 * hold one %d; at success the real name is returned. Slow. The errors are those
 * of the kernel's TUN. At `deadline_ms` of now_ms() the answer is final, where
 * the holder of the name is leaving DEV_LEAVE_MS later; with 0 it always is.
 */
int dev_file_attach(struct dev_file *file, const char name[IFNAMSIZ],
		    unsigned int flags, const struct dev_caller *caller,
		    uint64_t deadline_ms, char ret_name[IFNAMSIZ]);

/* When who is told DEV_ATTACH_AGAIN from now on comes again at the latest. */
uint64_t dev_attach_due_ms(uint64_t deadline_ms);

/* TUNSETQUEUE, with IFF_ATTACH_QUEUE or IFF_DETACH_QUEUE. */
int dev_file_set_queue(struct dev_file *file, unsigned int flags);

/* TUND_IOC_MODE: how the program uses the file. -EINVAL. */
int dev_file_set_mode(struct dev_file *file, const struct tund_mode *mode);
void dev_file_get_mode(struct dev_file *file, struct tund_mode *ret_mode);

/* TUNSETIFINDEX: the index that the interface of the next attach shall have. */
int dev_file_set_ifindex(struct dev_file *file, int ifindex);

/* TUNGETIFF. -EBADFD when unattached. */
int dev_file_describe(struct dev_file *file, char ret_name[IFNAMSIZ],
		      unsigned int *ret_flags);

bool dev_file_attached(struct dev_file *file);

/* -EBADFD when unattached. */
int dev_file_stats(struct dev_file *file, struct tund_stats *ret_stats);

/*
 * The device after device->id, of the file's network namespace; owner and group
 * as the daemon knows them. -ENOENT at the end. Slow.
 */
int dev_file_next_device(struct dev_file *file, struct tund_device *device);

/* A descriptor was closed that may have been the last one, or was not. */
void dev_file_set_closing(struct dev_file *file, bool closing);
bool dev_file_closing(struct dev_file *file);

/* The last descriptor is closed. Does not block. */
void dev_file_close(struct dev_file *file);

/*
 * For dev/ only: the namespace that the device was made in, if the file has it,
 * or -1.
 */
int dev_file_home_ns(const struct dev_file *file, const struct device *dev);
/* For dev/ only: what it is attached to with a reference, or NULL. */
struct dev_queue *dev_file_queue(struct dev_file *file);
struct device *dev_file_device(struct dev_file *file);
/* For dev/ only: forgets the queue, if it is this one. */
void dev_file_clear(struct dev_file *file, struct dev_queue *queue);
void dev_file_wake(struct dev_file *file);
/* For dev/ only. */
const struct dev_opener *dev_file_opener(const struct dev_file *file);
uint64_t dev_file_id(const struct dev_file *file);
uint64_t dev_file_ns_id(const struct dev_file *file);
/* For dev/ only: with a reference, the next one above the number, or NULL. */
struct dev_file *dev_file_next(struct dev_table *table, uint64_t id);
struct dev_table *dev_file_table(const struct dev_file *file);
/* For dev/ only: by what it is being attached. */
struct dev_grant;
struct dev_grant *dev_file_grant(struct dev_file *file);

#endif
