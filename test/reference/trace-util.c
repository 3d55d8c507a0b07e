/* SPDX-License-Identifier: MIT */
/* Lines, waiting, children and reader threads of tun-trace; nothing here
 * knows what a TUN device is, but for opening and attaching one. */
#include "tun-trace.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *trace_device;
static const char *current_case = "";

void trace_begin(const char *case_name)
{
	current_case = case_name;
}

/* One write(2) a line, because processes of one case share the output. */
static void put_line(const char *step, const char *text)
{
	char line[640];
	int i, n;

	n = snprintf(line, sizeof(line), "%s%s%s: %s\n", current_case,
		     step ? "." : "", step ? step : "", text);
	if (n > (int)sizeof(line))
		n = sizeof(line);
	/* A name may hold any byte; the trace stays plain text. */
	for (i = 0; i < n - 1; i++) {
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	}
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(2);
}

void say(const char *step, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(step, text);
}

void say_rc(const char *step, long ret)
{
	const char *name = ret < 0 ? strerrorname_np((int)-ret) : NULL;

	if (ret < 0)
		say(step, "%s", name ? name : "E?");
	else
		say(step, "%ld", ret);
}

void say_rc2(const char *group, const char *step, long ret)
{
	char both[128];

	snprintf(both, sizeof(both), "%s-%s", group, step);
	say_rc(both, ret);
}

void say2(const char *group, const char *step, const char *fmt, ...)
{
	char both[128], text[512];
	va_list ap;

	snprintf(both, sizeof(both), "%s-%s", group, step);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(both, text);
}

void give_up(const char *what, long ret)
{
	say_rc2("setup", what, ret);
	_exit(0);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool wait_until(bool (*pred)(void *arg), void *arg, int ms)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	int64_t deadline = now_ms() + ms;

	while (!pred(arg)) {
		if (now_ms() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* /proc/TID/syscall says "running", or the number of the call it sleeps in. */
bool blocked_now(pid_t tid, long nr)
{
	char path[64];
	long found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%ld", &found) != 1)
		found = -1;
	fclose(f);
	return found == nr;
}

struct blocked_arg {
	pid_t tid;
	long nr;
};

static bool is_blocked(void *arg)
{
	const struct blocked_arg *b = arg;

	return blocked_now(b->tid, b->nr);
}

bool wait_blocked(pid_t tid, long nr)
{
	struct blocked_arg b = {tid, nr};

	return wait_until(is_blocked, &b, PATIENCE_MS);
}

unsigned int revents_now(int fd)
{
	struct pollfd p = {.fd = fd};

	p.events = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND |
		   POLLWRNORM | POLLWRBAND | POLLRDHUP;
	if (poll(&p, 1, 0) < 0)
		return 0xffff;
	return (unsigned int)p.revents;
}

struct revents_arg {
	int fd;
	unsigned int want;
	unsigned int got;
};

static bool has_revents(void *arg)
{
	struct revents_arg *r = arg;

	r->got = revents_now(r->fd);
	/* A packet socket adds POLLWRBAND: told, but not waited for. */
	return (r->got & ~(unsigned int)POLLWRBAND) == r->want;
}

unsigned int wait_revents(int fd, unsigned int want)
{
	struct revents_arg r = {.fd = fd, .want = want};

	wait_until(has_revents, &r, DEADLINE_MS);
	return r.got;
}

static bool is_gone(void *arg)
{
	return if_nametoindex(arg) == 0;
}

bool wait_gone(const char *name)
{
	char copy[IFNAMSIZ];

	snprintf(copy, sizeof(copy), "%s", name);
	return wait_until(is_gone, copy, PATIENCE_MS);
}

void *nowhere(void)
{
	void *p =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		give_up("mmap", -errno);
	return p;
}

pid_t spawn(int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork", -errno);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(fn(arg));
	}
	return pid;
}

int reap(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int status, n;

	n = poll(&p, 1, PATIENCE_MS);
	close(pidfd);
	if (n != 1)
		return -ETIMEDOUT;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	__atomic_store_n(&r->tid, gettid(), __ATOMIC_SEQ_CST);
	r->ret = rc(read(r->fd, r->buf, r->size));
	return NULL;
}

static bool has_tid(void *arg)
{
	struct reader *r = arg;

	return __atomic_load_n(&r->tid, __ATOMIC_SEQ_CST) != 0;
}

void reader_start(struct reader *r, int fd, size_t size)
{
	int err;

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->size = size;
	err = pthread_create(&r->thread, NULL, reader_main, r);
	if (err)
		give_up("thread", -err);
	wait_until(has_tid, r, PATIENCE_MS);
}

void reader_block(struct reader *r, int fd, size_t size)
{
	reader_start(r, fd, size);
	if (!wait_blocked(r->tid, SYS_read))
		say("setup-block", "the reader does not sleep");
}

long reader_join(struct reader *r)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += DEADLINE_MS / 1000;
	if (pthread_timedjoin_np(r->thread, NULL, &ts) != 0)
		return -ETIMEDOUT;
	return r->ret;
}

long read_in_time(int fd, size_t size)
{
	/* A thread that is left goes on writing to it. */
	struct reader *r = calloc(1, sizeof(*r));
	long ret;

	if (!r)
		give_up("calloc", -ENOMEM);
	reader_start(r, fd, size);
	ret = reader_join(r);
	if (ret != -ETIMEDOUT)
		free(r);
	return ret;
}

int tun_open(int oflags)
{
	int fd = open(trace_device, oflags | O_CLOEXEC);

	if (fd < 0)
		give_up("open", -errno);
	return fd;
}

int tun_attach(int fd, const char *name, int flags, char *ret_name)
{
	struct ifreq ifr = {0};
	int ret;

	/* Every byte of a name without a terminator counts. */
	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ));
	ifr.ifr_flags = (short)flags;
	ret = (int)rc(ioctl(fd, TUNSETIFF, &ifr));
	if (ret_name) {
		memcpy(ret_name, ifr.ifr_name, IFNAMSIZ);
		ret_name[IFNAMSIZ - 1] = '\0';
	}
	return ret;
}

int tun_new(const char *name, int flags, int oflags)
{
	int fd = tun_open(oflags);
	int ret = tun_attach(fd, name, flags, NULL);

	if (ret < 0)
		give_up("attach", ret);
	return fd;
}

int tun_flags(int fd)
{
	struct ifreq ifr = {0};

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return -errno;
	return (unsigned short)ifr.ifr_flags;
}

void say_tun_flags(const char *step, int fd)
{
	int flags = tun_flags(fd);

	if (flags < 0)
		say_rc(step, flags);
	else
		say(step, "%#x", (unsigned int)flags);
}

void say_tun_flags2(const char *group, const char *step, int fd)
{
	char both[128];

	snprintf(both, sizeof(both), "%s-%s", group, step);
	say_tun_flags(both, fd);
}

void send_fd(int sock, int fd)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} u = {0};
	char c = 'x';
	struct iovec iov = {&c, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg;

	m.msg_control = u.data;
	m.msg_controllen = sizeof(u.data);
	cmsg = CMSG_FIRSTHDR(&m);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(sock, &m, 0) != 1)
		give_up("sendmsg", -errno);
}

int recv_fd(int sock)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} u = {0};
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int fd = -1;

	m.msg_control = u.data;
	m.msg_controllen = sizeof(u.data);
	if (recvmsg(sock, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		give_up("recvmsg", -errno);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}
