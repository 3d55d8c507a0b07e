/* SPDX-License-Identifier: MIT */
/* capture.c - a pair of sockets, and packets that fit into it or are counted.
 */
#include "ctl/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/request.h"
#include "dev/policy.h"
#include "dev/report.h"
#include "dev/table.h"
#include "dev/tap.h"
#include <tund/capture.h>

/* What may wait for the client; the kernel counts more than the bytes. */
#define BUFFER (4 << 20)

struct ctl_capture {
	struct dev_tap tap;
	int fd, client_fd;
	_Atomic uint64_t seen, lost;
	uint64_t drops_before;
	_Atomic(const char *) over; /* why it ended by itself, or NULL */
	struct dev_table *table;
	struct ctl_who who;
};

static struct ctl_capture *capture_of(struct dev_tap *tap)
{
	return container_of(tap, struct ctl_capture, tap);
}

/* ---- what dev/ calls ---- */

static void see(struct dev_tap *tap, const struct dev_sight *sights,
		unsigned int n)
{
	struct ctl_capture *capture = capture_of(tap);
	struct tund_capture heads[DEV_MAX_SIGHTS];
	struct iovec iov[DEV_MAX_SIGHTS][2];
	struct mmsghdr msgs[DEV_MAX_SIGHTS];
	int sent;

	for (unsigned int i = 0; i < n; i++) {
		const struct dev_sight *s = &sights[i];

		heads[i] = (struct tund_capture){
			.time = s->time_ns,
			.lost = capture->lost,
			.len = htonl((uint32_t)s->len),
			.queue = s->queue,
			.dropped = s->dropped,
			.flags = s->flags,
		};
		iov[i][0] = (struct iovec){&heads[i], sizeof(heads[i])};
		iov[i][1] = (struct iovec){(void *)s->data, s->len};
		msgs[i].msg_hdr = (struct msghdr){
			.msg_iov = iov[i],
			.msg_iovlen = 2,
		};
	}
	sent = sendmmsg(capture->fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno == EPIPE)
		return;
	if (sent < 0)
		sent = 0;
	capture->seen += n;
	capture->lost += n - (unsigned int)sent;
}

static void miss(struct dev_tap *tap, uint64_t n)
{
	struct ctl_capture *capture = capture_of(tap);

	capture->seen += n;
	capture->lost += n;
}

/* The client reads what it was shown, and then the end. */
static void end_by_itself(struct ctl_capture *capture, const char *why)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&capture->over, &none, why);
	shutdown(capture->fd, SHUT_RDWR);
}

static void gone(struct dev_tap *tap)
{
	end_by_itself(capture_of(tap), "gone");
}

static void revoked(struct dev_tap *tap)
{
	struct ctl_capture *capture = capture_of(tap);

	log_info("control: process %d of user %u may see the packets that it "
		 "captured no more",
		 (int)capture->who.pid, capture->who.uid);
	end_by_itself(capture, "revoked");
}

static void release(struct dev_tap *tap)
{
	struct ctl_capture *capture = capture_of(tap);

	cleanup_close(&capture->fd);
	cleanup_close(&capture->client_fd);
	free(capture->who.groups);
	free(capture);
}

/* ---- who may ---- */

static bool in_group(const struct ctl_who *who, gid_t group)
{
	for (size_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] == group)
			return true;
	return false;
}

/* One that nobody owns belongs to root, and not to everybody. */
static bool owns(const struct ctl_who *who, uint32_t owner, uint32_t group)
{
	bool has_owner = owner != TUND_NO_ID;
	bool has_group = group != TUND_NO_ID;

	return (has_owner || has_group) && (!has_owner || owner == who->uid) &&
	       (!has_group || in_group(who, group));
}

/* At the begin of a capture, and whenever its answer may be another. */
static enum dev_tap_right right_of(const struct ctl_who *who,
				   struct dev_table *table, uint32_t owner,
				   uint32_t group)
{
	struct policy_set *set;
	bool guest;

	if (who->trusted)
		return DEV_TAP_ROOT;
	if (owns(who, owner, group))
		return DEV_TAP_OWNER;
	set = dev_table_policy(table);
	guest = set->has_capture_group && in_group(who, set->capture_group);
	policy_set_unref(set);
	return guest ? DEV_TAP_GUEST : DEV_TAP_NONE;
}

static enum dev_tap_right judge(struct dev_tap *tap, uint32_t owner,
				uint32_t group)
{
	struct ctl_capture *capture = capture_of(tap);

	return right_of(&capture->who, capture->table, owner, group);
}

bool ctl_capture_may(const struct ctl_who *who, struct dev_table *table,
		     const struct dev_report *report)
{
	return right_of(who, table, report->owner, report->group) !=
	       DEV_TAP_NONE;
}

/* ---- what server.c calls ---- */

static int open_pair(struct ctl_capture *capture)
{
	const int size = BUFFER / 2; /* the kernel doubles it */
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	capture->fd = fds[0];
	capture->client_fd = fds[1];
	/* Nobody reads what a client might send. */
	shutdown(capture->fd, SHUT_RD);
	/* Beyond net.core.wmem_max only the initial user namespace may go. */
	if (setsockopt(capture->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
		       sizeof(size)) < 0 &&
	    setsockopt(capture->fd, SOL_SOCKET, SO_SNDBUF, &size,
		       sizeof(size)) < 0)
		return -errno;
	return 0;
}

static int copy_who(const struct ctl_who *who, struct ctl_who *ret_who)
{
	*ret_who = *who;
	ret_who->groups = calloc(who->n_groups + 1, sizeof(gid_t));
	if (!ret_who->groups)
		return -ENOMEM;
	if (who->n_groups > 0)
		memcpy(ret_who->groups, who->groups,
		       who->n_groups * sizeof(gid_t));
	return 0;
}

static int begin(struct dev_table *table, const struct dev_report *report,
		 const struct ctl_who *who, struct ctl_capture **ret_capture)
{
	static const struct dev_tap_ops ops = {
		.see = see,
		.miss = miss,
		.gone = gone,
		.judge = judge,
		.revoked = revoked,
		.release = release,
	};
	struct ctl_capture *capture = calloc(1, sizeof(*capture));
	int r;

	if (!capture)
		return -ENOMEM;
	capture->tap.ops = &ops;
	capture->tap.right = right_of(who, table, report->owner, report->group);
	capture->tap.refs = 1;
	capture->table = table;
	capture->fd = capture->client_fd = -1;
	r = copy_who(who, &capture->who);
	if (r == 0)
		r = open_pair(capture);
	if (r == 0)
		r = dev_tap_add(table, report->id, &capture->tap);
	if (r < 0) {
		dev_tap_unref(&capture->tap);
		return r;
	}
	capture->drops_before = dev_tap_drops(&capture->tap);
	*ret_capture = capture;
	return 0;
}

int ctl_capture_begin(struct dev_table *table, const struct dev_report *report,
		      const struct ctl_who *who,
		      struct ctl_capture **ret_capture, struct ctl_error *error)
{
	int r = begin(table, report, who, ret_capture);

	if (r == -EBUSY)
		return ctl_fail(error, "failed",
				"\"%s\" has as many captures as it may have "
				"for user %u: end one of them",
				report->state.name, who->uid);
	if (r < 0)
		return ctl_fail(error, "failed",
				"the packets of \"%s\" cannot be captured: %s",
				report->state.name, strerror(-r));
	log_info(
		"control: process %d of user %u captures the packets of \"%s\"",
		(int)who->pid, who->uid, report->state.name);
	return 0;
}

int ctl_capture_take_fd(struct ctl_capture *capture)
{
	return steal_fd(&capture->client_fd);
}

int ctl_capture_fd(const struct ctl_capture *capture)
{
	return capture->fd;
}

json_t *ctl_capture_end(struct ctl_capture *capture, const char *why)
{
	uint64_t drops = dev_tap_drops(&capture->tap) - capture->drops_before;
	const char *over;
	json_t *totals;

	dev_tap_remove(&capture->tap);
	shutdown(capture->fd, SHUT_RDWR);
	over = atomic_load(&capture->over);
	totals = json_pack("{s:s, s:I, s:I, s:I}", "ended", over ? over : why,
			   "packets", (json_int_t)capture->seen, "lost",
			   (json_int_t)capture->lost, "dropped",
			   (json_int_t)drops);
	return totals;
}

void ctl_capture_free(struct ctl_capture *capture)
{
	if (capture)
		dev_tap_unref(&capture->tap);
}
