/* SPDX-License-Identifier: MIT */
/* loop.c - libevent; no other file knows it. */
#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"

struct source {
	struct list node;
	struct event *event;
	void (*call)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *on_term;
	struct event *on_int;
	struct event *on_quit;
	int quit_fd;
	int signal;
	struct list sources;
};

static void handle_signal(evutil_socket_t signal, short what, void *arg)
{
	struct loop *loop = arg;

	loop->signal = (int)signal;
	event_base_loopbreak(loop->base);
}

static void handle_quit(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	event_base_loopbreak(loop->base);
}

static void handle_source(evutil_socket_t fd, short what, void *arg)
{
	struct source *source = arg;

	source->call(source->arg);
}

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	list_init(&loop->sources);
	loop->quit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->base = event_base_new();
	if (loop->quit_fd < 0 || !loop->base) {
		loop_free(loop);
		return -ENOMEM;
	}
	loop->on_term = evsignal_new(loop->base, SIGTERM, handle_signal, loop);
	loop->on_int = evsignal_new(loop->base, SIGINT, handle_signal, loop);
	loop->on_quit = event_new(loop->base, loop->quit_fd,
				  EV_READ | EV_PERSIST, handle_quit, loop);
	if (!loop->on_term || !loop->on_int || !loop->on_quit ||
	    event_add(loop->on_term, NULL) < 0 ||
	    event_add(loop->on_int, NULL) < 0 ||
	    event_add(loop->on_quit, NULL) < 0) {
		loop_free(loop);
		return -ENOMEM;
	}
	*ret_loop = loop;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void loop_free(struct loop *loop)
{
	list_for_each_safe (it, tmp, &loop->sources) {
		struct source *source = list_entry(it, struct source, node);

		list_del(&source->node);
		event_free(source->event);
		free(source);
	}
	free_event(loop->on_term);
	free_event(loop->on_int);
	free_event(loop->on_quit);
	if (loop->base)
		event_base_free(loop->base);
	if (loop->quit_fd >= 0)
		close(loop->quit_fd);
	free(loop);
}

static int add_source(struct loop *loop, int fd, short what,
		      const struct timeval *every, void (*call)(void *arg),
		      void *arg)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->call = call;
	source->arg = arg;
	source->event = event_new(loop->base, fd, what, handle_source, source);
	if (!source->event || event_add(source->event, every) < 0) {
		free_event(source->event);
		free(source);
		return -ENOMEM;
	}
	list_add_tail(&loop->sources, &source->node);
	return 0;
}

int loop_add_fd(struct loop *loop, int fd, void (*call)(void *arg), void *arg)
{
	return add_source(loop, fd, EV_READ | EV_PERSIST, NULL, call, arg);
}

int loop_add_signal(struct loop *loop, int signal, void (*call)(void *arg),
		    void *arg)
{
	return add_source(loop, signal, EV_SIGNAL | EV_PERSIST, NULL, call,
			  arg);
}

int loop_add_timer(struct loop *loop, unsigned int ms, void (*call)(void *arg),
		   void *arg)
{
	const struct timeval every = {
		.tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000,
	};

	return add_source(loop, -1, EV_PERSIST, &every, call, arg);
}

int loop_run(struct loop *loop)
{
	sigset_t signals;

	event_base_dispatch(loop->base);
	/* The end is not to be cut short by a second one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return loop->signal;
}

void loop_quit(struct loop *loop)
{
	eventfd_write(loop->quit_fd, 1);
}
