// SPDX-License-Identifier: MIT
/* F3, F11: writes go side by side if allowed to and if the file is big. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <unistd.h>

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

static struct platform_fuse *fuse;

static bool both_arrived(unsigned int before)
{
	return platform_fuse_count(fuse, FUSE_WRITE) == before + 2;
}

static void write_twice(unsigned int open_flags, uint64_t size, bool parallel)
{
	unsigned int before = platform_fuse_count(fuse, FUSE_WRITE);
	struct platform_call writers[2];
	int fds[2];

	fuse->open_flags = open_flags;
	fuse->size = size;
	for (int i = 0; i < 2; i++)
		fds[i] = platform_fuse_open(&setup, O_RDWR);
	for (int i = 0; i < 2; i++)
		platform_call_start(&writers[i], platform_call_write, fds[i]);
	if (parallel)
		expect_soon(both_arrived(before),
			    "the second write waits for the first");
	else
		expect_never(both_arrived(before),
			     "size %llu, open flags %#x: writes overlap",
			     (unsigned long long)size, open_flags);

	while (!writers[0].done || !writers[1].done) {
		platform_fuse_answer(fuse, FUSE_WRITE);
		platform_pause();
	}
	for (int i = 0; i < 2; i++) {
		platform_call_join(&writers[i]);
		expect(writers[i].result == sizeof(writers[i].buffer),
		       "write: %ld", writers[i].result);
		close(fds[i]);
	}
}

int main(void)
{
	const unsigned int exclusive =
		PLATFORM_OPEN_TUND & ~FOPEN_PARALLEL_DIRECT_WRITES;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fuse->hold = PLATFORM_HOLD(FUSE_WRITE);
	close(platform_fuse_open(&setup, O_RDWR));
	if (fuse->init.minor < 37)
		platform_skip("FUSE 7.%u has no parallel writes",
			      fuse->init.minor);

	write_twice(PLATFORM_OPEN_TUND, PLATFORM_BIG, true);
	write_twice(PLATFORM_OPEN_TUND, 0, false);
	write_twice(exclusive, PLATFORM_BIG, false);
	return 0;
}
