// SPDX-License-Identifier: MIT
/* F5: a killed client lives until its held read is answered, and no longer. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static pid_t start_reader(struct platform_fuse *fuse)
{
	unsigned int reads = platform_fuse_count(fuse, FUSE_READ);
	pid_t child = platform_fork();

	if (child == 0) {
		char byte;

		_exit((int)read(platform_fuse_open(&setup, O_RDWR), &byte, 1));
	}
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == reads + 1,
		    "the read never reached the server");
	return child;
}

int main(void)
{
	struct platform_fuse *fuse;
	pid_t child;
	int status;

	platform_begin();
	fuse = platform_fuse_start(&setup);

	child = start_reader(fuse);
	kill(child, SIGKILL);
	expect_soon(platform_child_ended(child, &status),
		    "killed, and told EINTR, it goes on");
	expect(WIFSIGNALED(status), "it was not the signal that ended it");

	fuse->ignore_interrupts = true;
	child = start_reader(fuse);
	kill(child, SIGKILL);
	expect_soon(platform_fuse_count(fuse, FUSE_INTERRUPT) == 2,
		    "the server was not told of the second kill");
	expect_never(platform_child_ended(child, NULL),
		     "it ends without an answer");
	platform_fuse_answer_interrupted(fuse);
	expect_soon(platform_child_ended(child, &status),
		    "the answer does not end it");
	expect(WIFSIGNALED(status), "it was not the signal that ended it");
	return 0;
}
