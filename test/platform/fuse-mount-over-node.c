// SPDX-License-Identifier: MIT
/* F11: a regular file can be mounted over a device node by our own mount(2). */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Any node will do, and only our own mount namespace sees the change. */
static const struct platform_fuse_setup regular = {
	.path = "/dev/full",
};

/* What libfuse's mount would say, as it takes the type from the node. */
static const struct platform_fuse_setup device = {
	.path = "/dev/zero",
	.rootmode = "20000",
};

int main(void)
{
	struct platform_fuse *fuse;
	struct stat st;
	int fd;

	platform_begin();
	if (stat(regular.path, &st) != 0 || !S_ISCHR(st.st_mode) ||
	    stat(device.path, &st) != 0 || !S_ISCHR(st.st_mode))
		platform_skip("no device nodes to mount over");

	fuse = platform_fuse_start(&regular);
	must(stat(regular.path, &st));
	expect(S_ISREG(st.st_mode), "the node is of type %#o",
	       st.st_mode & S_IFMT);
	fd = open(regular.path, O_RDWR | O_CLOEXEC);
	expect(fd != -1, "it cannot be opened: %s", strerror(errno));
	expect(write(fd, "", 1) == 1 &&
		       platform_fuse_count(fuse, FUSE_WRITE) == 1,
	       "a write does not reach the server");

	platform_fuse_start(&device);
	expect(stat(device.path, &st) == -1 && errno == EIO,
	       "rootmode=20000 works as well");
	return 0;
}
