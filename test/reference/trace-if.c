/* SPDX-License-Identifier: MIT */
/* The host's side of an interface as the cases use it: ioctls of a socket,
 * counters, namespaces; no rtnetlink and no packets. */
#include "tun-trace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int if_ioctl(unsigned long cmd, const char *name, struct ifreq *ifr)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (sock < 0)
		return -errno;
	memset(ifr->ifr_name, 0, IFNAMSIZ);
	memcpy(ifr->ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	ret = (int)rc(ioctl(sock, cmd, ifr));
	close(sock);
	return ret;
}

int if_flags(const char *name)
{
	struct ifreq ifr = {0};
	int ret = if_ioctl(SIOCGIFFLAGS, name, &ifr);

	return ret < 0 ? ret : (unsigned short)ifr.ifr_flags;
}

static int change_flags(const char *name, int set, int clear)
{
	struct ifreq ifr = {0};
	int ret = if_ioctl(SIOCGIFFLAGS, name, &ifr);

	if (ret < 0)
		return ret;
	ifr.ifr_flags = (short)((ifr.ifr_flags | set) & ~clear);
	return if_ioctl(SIOCSIFFLAGS, name, &ifr);
}

int if_up(const char *name)
{
	return change_flags(name, IFF_UP, 0);
}

int if_down(const char *name)
{
	return change_flags(name, 0, IFF_UP);
}

int if_address(const char *name, const char *addr)
{
	struct ifreq ifr = {0};
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&ifr.ifr_addr;
	int ret;

	sin->sin_family = AF_INET;
	inet_pton(AF_INET, addr, &sin->sin_addr);
	ret = if_ioctl(SIOCSIFADDR, name, &ifr);
	if (ret < 0)
		return ret;
	inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
	return if_ioctl(SIOCSIFNETMASK, name, &ifr);
}

int if_rename(const char *from, const char *to)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_newname, to, strnlen(to, IFNAMSIZ - 1));
	return if_ioctl(SIOCSIFNAME, from, &ifr);
}

int if_set_mtu(const char *name, int mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	return if_ioctl(SIOCSIFMTU, name, &ifr);
}

int if_mtu(const char *name)
{
	struct ifreq ifr = {0};
	int ret = if_ioctl(SIOCGIFMTU, name, &ifr);

	return ret < 0 ? ret : ifr.ifr_mtu;
}

int if_set_qlen(const char *name, int qlen)
{
	struct ifreq ifr = {.ifr_qlen = qlen};

	return if_ioctl(SIOCSIFTXQLEN, name, &ifr);
}

int if_qlen(const char *name)
{
	struct ifreq ifr = {0};
	int ret = if_ioctl(SIOCGIFTXQLEN, name, &ifr);

	return ret < 0 ? ret : ifr.ifr_qlen;
}

int if_hwaddr(const char *name, uint16_t *ret_family, uint8_t *ret_mac)
{
	struct ifreq ifr = {0};
	int ret = if_ioctl(SIOCGIFHWADDR, name, &ifr);

	if (ret < 0)
		return ret;
	*ret_family = ifr.ifr_hwaddr.sa_family;
	memcpy(ret_mac, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

/* Only a TAP asks for it; the address is the application's, made up. */
int if_neighbour(const char *name, const char *addr)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x02};
	struct arpreq req = {.arp_flags = ATF_PERM | ATF_COM};
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&req.arp_pa;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	sin->sin_family = AF_INET;
	inet_pton(AF_INET, addr, &sin->sin_addr);
	req.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(req.arp_ha.sa_data, mac, sizeof(mac));
	memcpy(req.arp_dev, name, strnlen(name, sizeof(req.arp_dev) - 1));
	ret = (int)rc(ioctl(sock, SIOCSARP, &req));
	close(sock);
	return ret;
}

/* ---- counters ----------------------------------------------------------- */

long if_stat(const char *name, enum if_stat which)
{
	size_t len = strlen(name);
	char line[512];
	long value = -ENODEV;
	FILE *f;

	f = fopen("/proc/thread-self/net/dev", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		char *p = line + strspn(line, " ");
		char *save = NULL;
		char *word;
		int i;

		if (strncmp(p, name, len) || p[len] != ':')
			continue;
		word = strtok_r(p + len + 1, " \n", &save);
		for (i = 0; word && i < (int)which; i++)
			word = strtok_r(NULL, " \n", &save);
		if (!word || sscanf(word, "%ld", &value) != 1)
			value = -EPROTO;
	}
	fclose(f);
	return value;
}

struct stat_arg {
	const char *name;
	enum if_stat which;
	long want;
};

static bool stat_is(void *arg)
{
	const struct stat_arg *s = arg;

	return if_stat(s->name, s->which) == s->want;
}

long wait_stat(const char *name, enum if_stat which, long want)
{
	struct stat_arg s = {name, which, want};

	wait_until(stat_is, &s, 400);
	return if_stat(name, which);
}

static bool is_running(void *arg)
{
	return if_flags(arg) & IFF_RUNNING;
}

static bool is_not_running(void *arg)
{
	return !is_running(arg);
}

const char *wait_running(const char *name, bool want)
{
	char copy[IFNAMSIZ];

	snprintf(copy, sizeof(copy), "%s", name);
	wait_until(want ? is_running : is_not_running, copy, PATIENCE_MS);
	/* The flag is shown before the queues follow; this waits for them. */
	change_flags(copy, 0, 0);
	return is_running(copy) ? "running" : "not running";
}

/* ---- credentials -------------------------------------------------------- */

void be_user(unsigned int uid, unsigned int gid)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		give_up("setuid", -errno);
}

void be_nobody(void)
{
	be_user(NOBODY, NOBODY);
}

/* ---- namespaces --------------------------------------------------------- */

int netns_here(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		give_up("netns", -errno);
	return fd;
}

void netns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		give_up("setns", -errno);
}

int netns_new(void)
{
	int here = netns_here();
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		give_up("unshare", -errno);
	no_ipv6();
	fd = netns_here();
	netns_enter(here);
	close(here);
	return fd;
}

int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = rc(write(fd, text, strlen(text)));
	close(fd);
	return n < 0 ? (int)n : 0;
}

/* Multicast listener reports would come between the packets of a case. */
void no_ipv6(void)
{
	put_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	put_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}
