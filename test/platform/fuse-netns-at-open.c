// SPDX-License-Identifier: MIT
/* F12: while OPEN is held, /proc/TID/ns/net is the opener's namespace. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
	struct stat at_open;
	struct stat at_ioctl;
	pid_t opener;
};

static struct seen *seen;

static void stat_netns(pid_t tid, struct stat *ret_st)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", tid);
	stat(path, ret_st);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	seen->opener = fuse_req_ctx(req)->pid;
	stat_netns(seen->opener, &seen->at_open);
	platform_fuse_reply_open(req, 1);
}

static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	stat_netns(fuse_req_ctx(req)->pid, &seen->at_ioctl);
	fuse_reply_ioctl(req, 0, NULL, 0);
}

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
	.open = on_open,
	.ioctl = on_ioctl,
};

static struct stat elsewhere;

static long open_elsewhere(struct platform_call *call)
{
	must(unshare(CLONE_NEWNET));
	must(stat("/proc/thread-self/ns/net", &elsewhere));
	return platform_fuse_open(&setup, O_RDWR);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

int main(void)
{
	struct platform_call opener;
	struct stat here;
	int value = 0;

	platform_begin();
	seen = platform_shared(sizeof(*seen));
	platform_fuse_start(&setup);
	must(stat("/proc/self/ns/net", &here));

	platform_call_start(&opener, open_elsewhere, -1);
	platform_call_join(&opener);
	expect(!same(&here, &elsewhere), "set-up: no second namespace");
	expect(seen->opener == opener.tid, "the request names thread %d",
	       seen->opener);
	expect(same(&seen->at_open, &elsewhere),
	       "not the namespace of the thread that opened");

	/* Later it is too late: this may come from anywhere. */
	must(ioctl((int)opener.result, TUNGETFEATURES, &value));
	expect(same(&seen->at_ioctl, &here),
	       "not the namespace of the thread that calls");
	return 0;
}
