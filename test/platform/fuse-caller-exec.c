// SPDX-License-Identifier: MIT
/*
 * F12: a thread stays who it is while its ioctl is held: another one of its
 * process executes nothing before the answer, and no one else has its number.
 */
#include "platform-fuse.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
	atomic_int tid;
	atomic_bool go;
};

static struct shared *shared;
static fuse_req_t held;

static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd,
		     void *arg, struct fuse_file_info *fi, unsigned int flags,
		     const void *in, size_t in_size, size_t out_size)
{
	held = req;
}

static void answer(void)
{
	fuse_reply_ioctl(held, 0, NULL, 0);
}

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
	.ioctl = on_ioctl,
	.custom = answer,
};

static void *call(void *arg)
{
	struct ifreq request = {.ifr_name = "doomed"};
	int fd = platform_fuse_open(&setup, O_RDWR);

	shared->tid = (int)syscall(SYS_gettid);
	ioctl(fd, TUNSETIFF, &request);
	return NULL;
}

static void *execute(void *arg)
{
	while (!shared->go)
		usleep(1000);
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static ino_t executable_of(pid_t tid)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)tid);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static bool is_another(pid_t child)
{
	return executable_of(child) != executable_of(getpid());
}

static void try(struct platform_fuse *fuse, unsigned int n, bool leader_calls)
{
	pid_t child;

	shared->go = false;
	child = platform_fork();
	if (child == 0) {
		pthread_t other;

		pthread_create(&other, NULL, leader_calls ? execute : call,
			       NULL);
		if (leader_calls)
			call(NULL);
		else
			execute(NULL);
		pthread_join(other, NULL);
		_exit(1);
	}
	expect_soon(platform_fuse_count(fuse, FUSE_IOCTL) == n,
		    "the ioctl never reached the server");
	shared->go = true;
	expect_soon(platform_fuse_count(fuse, FUSE_INTERRUPT) == n,
		    "the server was not told that the thread must end");
	expect_never(platform_child_ended(child, NULL) || is_another(child),
		     "the process can execute another program under the "
		     "server");
	expect((shared->tid == child) == leader_calls, "the wrong thread");
	expect(executable_of(shared->tid) == executable_of(getpid()),
	       "the thread that waits has another executable");
	platform_fuse_custom(fuse);
	expect_soon(platform_child_ended(child, NULL),
		    "the answer does not let it go on");
}

int main(void)
{
	struct platform_fuse *fuse;

	platform_begin();
	shared = platform_shared(sizeof(*shared));
	fuse = platform_fuse_start(&setup);
	try(fuse, 1, false);
	try(fuse, 2, true);
	return 0;
}
