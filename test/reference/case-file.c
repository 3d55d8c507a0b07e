/* SPDX-License-Identifier: MIT */
/* Cases about the device as a file: what stat, seek, map, splice and the other
 * calls say that no packet needs. */
#include "tun-trace.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define RAW (IFF_TUN | IFF_NO_PI)

static uint8_t buf[4096];

static void open_flags(void)
{
	static const struct {
		const char *name;
		int oflags;
	} all[] = {
		{"rdwr", O_RDWR},
		{"rdonly", O_RDONLY},
		{"wronly", O_WRONLY},
		{"creat", O_RDWR | O_CREAT},
		{"excl", O_RDWR | O_CREAT | O_EXCL},
		{"trunc", O_RDWR | O_TRUNC},
		{"append", O_RDWR | O_APPEND},
		{"sync", O_RDWR | O_SYNC},
		{"nonblock", O_RDWR | O_NONBLOCK},
		{"noctty", O_RDWR | O_NOCTTY},
		{"directory", O_RDONLY | O_DIRECTORY},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = open(trace_device, all[i].oflags | O_CLOEXEC, 0600);

		say_rc(all[i].name, fd < 0 ? -errno : 0);
		if (fd >= 0)
			close(fd);
	}
	say_rc("access", rc(access(trace_device, R_OK | W_OK)));
	say_rc("access-exec", rc(access(trace_device, X_OK)));
}

static void stat_type(void)
{
	struct stat st;
	int fd = tun_open(O_RDWR);

	say_rc("fstat", rc(fstat(fd, &st)));
	say("type", "%#o", st.st_mode & S_IFMT);
	say("rdev", "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	say("size", "%s", st.st_size ? "positive" : "zero");
	say("links", "%lu", (unsigned long)st.st_nlink);
	say("isatty", "%d", isatty(fd));
}

static void say_calls(const char *group, int fd)
{
	struct flock lock = {.l_type = F_WRLCK};

	say_rc2(group, "lseek", rc(lseek(fd, 0, SEEK_SET)));
	say_rc2(group, "lseek-cur", rc(lseek(fd, 0, SEEK_CUR)));
	say_rc2(group, "lseek-end", rc(lseek(fd, 0, SEEK_END)));
	say_rc2(group, "pread", rc(pread(fd, buf, 100, 0)));
	say_rc2(group, "pwrite", rc(pwrite(fd, buf, 100, 0)));
	say_rc2(group, "fsync", rc(fsync(fd)));
	say_rc2(group, "fdatasync", rc(fdatasync(fd)));
	say_rc2(group, "ftruncate", rc(ftruncate(fd, 0)));
	say_rc2(group, "fallocate", rc(fallocate(fd, 0, 0, 100)));
	say_rc2(group, "flock", rc(fcntl(fd, F_SETLK, &lock)));
}

static void calls(void)
{
	int fd = tun_open(O_RDWR | O_NONBLOCK);

	say_calls("unattached", fd);
	tun_attach(fd, "file0", RAW, NULL);
	say_calls("attached", fd);
}

static void positioned(void)
{
	struct iovec iov = {buf, 200};
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	host_send(rig.sock, 20);
	wait_revents(rig.fd, 0x145);
	say_rc("pread", rc(pread(rig.fd, buf, 200, 5)));
	say_rc("pwrite", rc(pwrite(rig.fd, buf, make_udp4(buf, 16), 5)));
	say_rc("nowait", rc(preadv2(rig.fd, &iov, 1, -1, RWF_NOWAIT)));
}

static void say_map(const char *step, int fd, int flags)
{
	void *p = mmap(NULL, 4096, PROT_READ, flags, fd, 0);

	say_rc(step, p == MAP_FAILED ? -errno : 0);
	if (p != MAP_FAILED)
		munmap(p, 4096);
}

static void map(void)
{
	int fd = tun_new("map0", RAW, O_RDWR);

	say_map("shared", fd, MAP_SHARED);
	say_map("private", fd, MAP_PRIVATE);
}

static void pipes(void)
{
	struct rig rig;
	int p[2];
	size_t len;

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	if (pipe(p) < 0)
		give_up("pipe", -errno);
	len = make_udp4(buf, 16);
	say_rc("fill", rc(write(p[1], buf, len)));
	say_rc("splice-in", rc(splice(p[0], NULL, rig.fd, NULL, len, 0)));
	host_send(rig.sock, 20);
	wait_revents(rig.fd, 0x145);
	say_rc("splice-out",
	       rc(splice(rig.fd, NULL, p[1], NULL, 200, SPLICE_F_NONBLOCK)));
}

/* Reads one byte of a mapping that may not be there. */
static int touches(void *arg)
{
	volatile const uint8_t *p = arg;

	return p[0] ? 1 : 0;
}

/*
 * A packet is for the descriptor that is attached.  What goes through a page
 * cache could be seen by everybody who has the file open.
 */
static void others(void)
{
	int other = tun_open(O_RDWR | O_NONBLOCK);
	struct rig rig;
	void *map;
	int p[2];

	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	if (pipe(p) < 0)
		give_up("pipe", -errno);
	host_send(rig.sock, 20);
	wait_revents(rig.fd, 0x145);
	say_rc("own-splice",
	       rc(splice(rig.fd, NULL, p[1], NULL, 200, SPLICE_F_NONBLOCK)));
	say_rc("other-splice",
	       rc(splice(other, NULL, p[1], NULL, 200, SPLICE_F_NONBLOCK)));
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, rig.fd, 0);
	say_rc("own-map", map == MAP_FAILED ? -errno : 0);
	if (map != MAP_FAILED)
		say_rc("own-touch", reap(spawn(touches, map)));
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, other, 0);
	say_rc("other-map", map == MAP_FAILED ? -errno : 0);
	if (map != MAP_FAILED)
		say_rc("other-touch", reap(spawn(touches, map)));
	say_rc("read", rc(read(rig.fd, buf, 200)));
}

static void ioctls(void)
{
	struct rig rig;
	int one = 1, zero = 0, value = -1;

	rig_new(&rig, RAW, O_RDWR);
	say_rc("fionbio-on", rc(ioctl(rig.fd, FIONBIO, &one)));
	say_rc("read", rc(read(rig.fd, buf, 100)));
	say_rc("getfl", fcntl(rig.fd, F_GETFL) & O_NONBLOCK);
	say_rc("fionbio-off", rc(ioctl(rig.fd, FIONBIO, &zero)));
	say_rc("getfl-off", fcntl(rig.fd, F_GETFL) & O_NONBLOCK);
	say_rc("fioclex", rc(ioctl(rig.fd, FIOCLEX)));
	say_rc("fionread", rc(ioctl(rig.fd, FIONREAD, &value)));
	say_rc("fioasync", rc(ioctl(rig.fd, FIOASYNC, &one)));
}

static volatile sig_atomic_t sigio_count;

static void on_sigio(int sig)
{
	(void)sig;
	sigio_count++;
}

static bool got_sigio(void *arg)
{
	(void)arg;
	return sigio_count > 0;
}

static void async(void)
{
	struct sigaction sa = {.sa_handler = on_sigio};
	struct rig rig;

	sigaction(SIGIO, &sa, NULL);
	rig_new(&rig, RAW, O_RDWR | O_NONBLOCK);
	say_rc("setfl", rc(fcntl(rig.fd, F_SETFL, O_ASYNC | O_NONBLOCK)));
	say("getfl", "%#x", (unsigned int)fcntl(rig.fd, F_GETFL) & O_ASYNC);
	say("owner", "%s",
	    fcntl(rig.fd, F_GETOWN) == getpid() ? "this process" : "other");
	host_send(rig.sock, 10);
	say("signal", "%s",
	    wait_until(got_sigio, NULL, 500) ? "arrived" : "did not arrive");
	say_rc("read", app_read(rig.fd, buf, 100));
}

static void file_size_limit(void)
{
	struct rlimit limit = {100, RLIM_INFINITY};
	struct rig rig;
	long ret;

	rig_new(&rig, RAW, O_RDWR);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	ret = rc(write(rig.fd, buf, make_udp4(buf, 200)));
	/* The lines go to a file as well. */
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	say_rc("write", ret);
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_FSIZE, &limit);
	ret = rc(write(rig.fd, buf, make_udp4(buf, 200)));
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	say_rc("write-none", ret);
}

static void append(void)
{
	struct rig rig;

	rig_new(&rig, RAW, O_RDWR | O_APPEND);
	say_rc("write", rc(write(rig.fd, buf, make_udp4(buf, 16))));
	say_rc("received", host_recv(rig.sock));
	say_rc("write-again", rc(write(rig.fd, buf, make_udp4(buf, 17))));
	say_rc("received-again", host_recv(rig.sock));
}

/* What ip(8) looks for to name the processes of a device. */
static void fdinfo(void)
{
	char path[64], line[128];
	int fd = tun_new("info0", RAW, O_RDWR);
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		give_up("fdinfo", -errno);
	while (fgets(line, sizeof(line), f))
		found |= !strcmp(line, "iff:\tinfo0\n");
	fclose(f);
	say("iff", "%s", found ? "named" : "not named");
}

const struct trace_case file_cases[] = {
	{"file-open", open_flags},
	{"file-stat", stat_type},
	{"file-calls", calls},
	{"file-positioned", positioned},
	{"file-map", map},
	{"file-pipe", pipes},
	{"file-others", others},
	{"file-ioctl", ioctls},
	{"file-async", async},
	{"file-size-limit", file_size_limit},
	{"file-append", append},
	{"file-fdinfo", fdinfo},
	{NULL, NULL},
};
