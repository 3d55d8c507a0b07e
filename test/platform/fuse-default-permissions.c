// SPDX-License-Identifier: MIT
/* F11: without default_permissions nobody looks at the file's mode. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct platform_fuse_setup checked = {
	.path = PLATFORM_DIR "/checked",
};

static const struct platform_fuse_setup unchecked = {
	.path = PLATFORM_DIR "/unchecked",
	.no_default_permissions = true,
};

int main(void)
{
	pid_t child;

	platform_begin();
	platform_fuse_start(&checked)->mode = 0;
	platform_fuse_start(&unchecked)->mode = 0;

	/* Root's capabilities would open it either way. */
	child = platform_fork();
	if (child == 0) {
		platform_drop_capabilities();
		expect(open(checked.path, O_RDWR) == -1 && errno == EACCES,
		       "a file of mode 0 is opened");
		expect(open(unchecked.path, O_RDWR) != -1,
		       "without the option a file of mode 0 is refused");
		_exit(0);
	}
	platform_expect_child_ok(child);
	return 0;
}
