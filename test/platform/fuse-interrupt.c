// SPDX-License-Identifier: MIT
/* F5, F11: a signal ends a held read with EINTR, SA_RESTART or not. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static atomic_uint handled;

static void on_signal(int signal_number)
{
	handled++;
}

static void interrupt_read(struct platform_fuse *fuse, int fd, int sa_flags)
{
	const struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = sa_flags,
	};
	unsigned int reads = platform_fuse_count(fuse, FUSE_READ);
	unsigned int interrupts = platform_fuse_count(fuse, FUSE_INTERRUPT);
	struct platform_call reader;

	handled = 0;
	must(sigaction(SIGUSR1, &action, NULL));
	platform_call_start(&reader, platform_call_read, fd);
	expect_soon(platform_fuse_count(fuse, FUSE_READ) == reads + 1,
		    "the read never reached the server");
	pthread_kill(reader.thread, SIGUSR1);
	expect_soon(reader.done, "the signal does not end the read");
	expect(platform_fuse_count(fuse, FUSE_INTERRUPT) == interrupts + 1,
	       "the server was not told");
	expect(reader.result == -1 && reader.error == EINTR,
	       "not EINTR but %ld, %s", reader.result, strerror(reader.error));
	expect(handled == 1, "the handler ran %u times", handled);
	expect(platform_fuse_count(fuse, FUSE_READ) == reads + 1,
	       "the read was restarted");
	platform_call_join(&reader);
}

int main(void)
{
	struct platform_fuse *fuse;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fd = platform_fuse_open(&setup, O_RDWR);

	interrupt_read(fuse, fd, 0);
	interrupt_read(fuse, fd, SA_RESTART);
	return 0;
}
