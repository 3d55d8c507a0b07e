// SPDX-License-Identifier: MIT
/* F2: an ioctl that passes a value as a pointer fails before the server. */
#include "platform-fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned long number;
	unsigned long value;
} by_value[] = {
	{"TUNSETPERSIST 1", TUNSETPERSIST, 1},
	{"TUNSETPERSIST 0", TUNSETPERSIST, 0},
	{"TUNSETOWNER", TUNSETOWNER, 1000},
	{"TUNSETGROUP", TUNSETGROUP, 1000},
	{"TUNSETLINK", TUNSETLINK, 1},
	{"TUNSETOFFLOAD", TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4},
	{"TUNSETOFFLOAD 0", TUNSETOFFLOAD, 0},
	{"TUNSETNOCSUM", TUNSETNOCSUM, 1},
	{"TUNSETDEBUG", TUNSETDEBUG, 1},
};

static const struct platform_fuse_setup setup = {
	.path = PLATFORM_DIR "/tun",
};

int main(void)
{
	struct platform_fuse *fuse;
	struct ifreq request = {0};
	int value = 0;
	int fd;

	platform_begin();
	fuse = platform_fuse_start(&setup);
	fd = platform_fuse_open(&setup, O_RDWR);

	for (size_t i = 0; i < sizeof(by_value) / sizeof(by_value[0]); i++) {
		expect(ioctl(fd, by_value[i].number, by_value[i].value) == -1 &&
			       errno == EFAULT,
		       "%s: not EFAULT but %s", by_value[i].name,
		       strerror(errno));
	}
	expect(platform_fuse_count(fuse, FUSE_IOCTL) == 0,
	       "the server was asked");

	/* Those that pass a pointer, and those whose number says nothing. */
	expect(ioctl(fd, TUNGETFEATURES, &value) == 0 &&
		       ioctl(fd, TUNSETVNETHDRSZ, &value) == 0 &&
		       ioctl(fd, SIOCGIFHWADDR, &request) == 0,
	       "an ioctl with a pointer: %s", strerror(errno));
	expect(platform_fuse_count(fuse, FUSE_IOCTL) == 3,
	       "the server was not asked");
	return 0;
}
