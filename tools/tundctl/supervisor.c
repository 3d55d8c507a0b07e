/* SPDX-License-Identifier: MIT */
/*
 * supervisor.c - forks a worker for every notification, so that one that is
 * stuck stops no other, and keeps the device files behind the sockets that the
 * workers put in their place. It touches no file, no memory and no descriptor
 * of the program itself.
 */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "message.h"
#include "tundctl.h"
#include "worker.h"

/* Further calls wait until one of these is done. */
#define MAX_WORKERS 128

/* More devices than this one program will not have. */
#define MAX_KEPT 1024

struct running {
	pid_t pid;
	int socket; /* its end is closed when it has ended */
	uint64_t id;
};

struct supervisor {
	struct worker_context context;
	struct running running[MAX_WORKERS];
	size_t n_running;
	struct kept kept[MAX_KEPT];
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
};

/* ---- what it keeps of its caller ---- */

/* Closes all but these, which are in ascending order; -1 is none. */
static void close_others(const int *keep, size_t n)
{
	unsigned int from = 0;

	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned int)keep[i] > from)
			syscall(SYS_close_range, from, keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

/* Above whatever the caller had open at 0, 1 and 2; not below `least`. */
static int move_up(int fd, int least)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, least);
}

static void detach(int *socket, int *log)
{
	int keep[2];

	*socket = keep[0] = move_up(*socket, 3);
	*log = keep[1] = move_up(*log, *socket + 1);
	close_others(keep, ARRAY_SIZE(keep));
	for (int i = 0; i < 3; i++)
		if (open("/dev/null", O_RDWR) != i &&
		    memfd_create("tundctl", MFD_CLOEXEC) != i)
			_exit(1);
	if (chdir("/") < 0)
		_exit(1);
}

/*
 * It ends with the program, and not before: a service's manager that ends all
 * of a cgroup would else take away the ioctls by which the program cleans up.
 */
static void prepare_signals(void)
{
	static const int ignored[] = {SIGHUP,  SIGINT,	SIGQUIT, SIGTERM,
				      SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};
	sigset_t none;

	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- workers ---- */

static void answer_error(const struct supervisor *s, uint64_t id, int error)
{
	memset(s->response, 0, sizeof(*s->response));
	s->response->id = id;
	s->response->error = -error;
	seccomp_notify_respond(s->context.listener, s->response);
}

static void start_worker(struct supervisor *s)
{
	struct running *r = &s->running[s->n_running];
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0) {
		answer_error(s, s->request->id, errno);
		return;
	}
	r->pid = fork();
	if (r->pid == 0) {
		close(sv[0]);
		s->context.supervisor = sv[1];
		worker_run(&s->context, s->request);
	}
	close(sv[1]);
	if (r->pid < 0) {
		answer_error(s, s->request->id, errno);
		close(sv[0]);
		return;
	}
	r->socket = sv[0];
	r->id = s->request->id;
	s->n_running++;
}

static void receive(struct supervisor *s)
{
	/* The kernel wants it zeroed, and alone knows its size. */
	if (seccomp_notify_alloc(&s->request, NULL) < 0)
		return;
	/* It fails if the thread has been killed meanwhile. */
	if (seccomp_notify_receive(s->context.listener, s->request) == 0)
		start_worker(s);
	seccomp_notify_free(s->request, NULL);
}

static void end_worker(struct supervisor *s, struct running *r)
{
	close(r->socket);
	waitpid(r->pid, NULL, 0);
	/* It answers first; else something has killed it. */
	if (seccomp_notify_id_valid(s->context.listener, r->id) == 0)
		answer_error(s, r->id, EIO);
	*r = s->running[--s->n_running];
}

/* ---- the files behind the sockets ---- */

static int keep(struct supervisor *s, uint64_t inode, int file)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->kept); i++) {
		if (s->kept[i].file >= 0)
			continue;
		s->kept[i].inode = inode;
		s->kept[i].file = file;
		return 0;
	}
	close(file);
	return -ENFILE;
}

/* A worker asks for a file to be kept, or has ended. */
static void hear_worker(struct supervisor *s, struct running *r)
{
	uint64_t inode;
	int file, result;

	if (message_receive(r->socket, &inode, sizeof(inode), &file) < 0) {
		end_worker(s, r);
		return;
	}
	result = file < 0 ? -EBADF : keep(s, inode, file);
	message_send(r->socket, &result, sizeof(result), -1);
}

/* ---- the loop ---- */

enum { MAX_POLL = 1 + MAX_WORKERS + MAX_KEPT };

/* Returns the number of entries; kept files are behind the workers. */
static nfds_t fill(const struct supervisor *s, struct pollfd *ret_poll)
{
	nfds_t n = 1;

	ret_poll[0].fd = s->context.listener;
	ret_poll[0].events = s->n_running < MAX_WORKERS ? POLLIN : 0;
	for (size_t i = 0; i < s->n_running; i++)
		ret_poll[n++] = (struct pollfd){
			.fd = s->running[i].socket,
			.events = POLLIN,
		};
	/* The file of a device that is over says POLLERR unasked. */
	for (size_t i = 0; i < ARRAY_SIZE(s->kept); i++)
		if (s->kept[i].file >= 0)
			ret_poll[n++] = (struct pollfd){.fd = s->kept[i].file};
	return n;
}

static void forget_over(struct supervisor *s, const struct pollfd *p, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		if (!(p[i].revents & (POLLERR | POLLHUP | POLLNVAL)))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(s->kept); k++) {
			if (s->kept[k].file != p[i].fd)
				continue;
			close(s->kept[k].file);
			s->kept[k].file = -1;
		}
	}
}

static void serve(struct supervisor *s)
{
	static struct pollfd p[MAX_POLL];

	for (;;) {
		size_t n_running = s->n_running;
		nfds_t n = fill(s, p);

		if (poll(p, n, -1) < 0)
			continue;
		forget_over(s, p + 1 + n_running, n - 1 - n_running);
		/* From behind: the last one takes the place of one ended. */
		for (size_t i = n_running; i-- > 0;)
			if (p[1 + i].revents)
				hear_worker(s, &s->running[i]);
		if (p[0].revents & (POLLHUP | POLLERR))
			return; /* Nobody is left. */
		if (p[0].revents & POLLIN)
			receive(s);
	}
}

static int begin(struct supervisor *s, int socket)
{
	pid_t self = getpid();
	char byte;

	if (seccomp_notify_alloc(NULL, &s->response) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(s->kept); i++)
		s->kept[i].file = -1;
	s->context.kept = s->kept;
	s->context.n_kept = ARRAY_SIZE(s->kept);
	s->context.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->context.proc < 0 ||
	    message_send(socket, &self, sizeof(self), -1) < 0 ||
	    message_receive(socket, &byte, 1, &s->context.listener) < 0)
		return -1;
	return message_send(socket, &self, sizeof(self), -1);
}

_Noreturn void supervisor_run(const struct supervisor_options *options,
			      int socket, int log)
{
	static struct supervisor s;

	/*
	 * A child enters the user namespace of who calls, where somebody else
	 * is root: he must not look at it, nor at the files that it has.
	 */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prepare_signals();
	detach(&socket, &log);
	raise_limit();
	s.context.plane = options->plane;
	s.context.log = log;
	if (begin(&s, socket) < 0)
		_exit(1);
	close(socket);
	serve(&s);
	for (size_t i = 0; i < s.n_running; i++)
		kill(s.running[i].pid, SIGKILL);
	_exit(0);
}
