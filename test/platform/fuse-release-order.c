// SPDX-License-Identifier: MIT
/* F11: a thread's RELEASE is read before the OPEN that it sends afterwards. */
#include "platform-fuse.h"

#include <fcntl.h>
#include <unistd.h>

enum {
	ROUNDS = 300,
};

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

int main(void)
{
	struct platform_fuse *fuse;
	unsigned int opened = 0;
	unsigned int released = 0;

	platform_begin();
	fuse = platform_fuse_start(&setup);

	for (int i = 0; i < ROUNDS; i++)
		must(close((int)must(open(setup.path, O_RDWR | O_CLOEXEC))));
	expect_soon(platform_fuse_count(fuse, FUSE_RELEASE) == ROUNDS,
		    "not every close() sends RELEASE");

	for (unsigned int i = 0; i < fuse->count; i++) {
		unsigned int opcode = fuse->requests[i].header.opcode;

		if (opcode == FUSE_OPEN)
			expect(opened++ == released,
			       "OPEN number %u overtook a RELEASE", opened);
		released += opcode == FUSE_RELEASE;
	}
	expect(opened == ROUNDS, "%u OPENs", opened);
	return 0;
}
