/* SPDX-License-Identifier: MIT */
/*
 * server.c - accepts, reads, answers, and tells of events. Main's thread does
 * all that touches a connection; what may wait is done by a thread of its own,
 * one request of a client at a time.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "base/log.h"
#include "base/work.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/describe.h"
#include "ctl/place.h"
#include "dev/event.h"

/* Events that wait for main's thread. */
#define MAX_EVENTS 4096u

/* In place of a client's number; those begin behind. */
enum { ID_LISTEN, ID_WAKE, ID_TIMER, ID_LAST };

struct job {
	struct work work;
	struct list node;
	struct ctl *ctl;
	uint64_t client;
	struct ctl_request request;
	struct ctl_who who;	     /* if the right is CTL_CAPTURE */
	struct ctl_capture *capture; /* that it has begun, or NULL */
	char *answer;		     /* NULL: no memory */
};

struct event {
	struct list node;
	struct dev_event event;
};

struct ctl {
	struct ctl_context context;
	int listen_fd;
	gid_t group;
	int epoll_fd, wake_fd, timer_fd;
	int spare_fd; /* for a connection that there is no descriptor for */
	uint64_t timer_ms;
	uint64_t last_id;
	struct list clients;
	struct list left; /* see place.h */
	struct work_queue *work;
	atomic_uint n_monitors;

	struct lock lock;
	struct list done GUARDED_BY(lock); /* jobs */
	struct list events GUARDED_BY(lock);
	unsigned int n_events GUARDED_BY(lock);
	bool lost GUARDED_BY(lock); /* an event, for want of room */
};

/* ---- clients ---- */

static struct ctl_client *find(const struct list *clients, uint64_t id)
{
	list_for_each (it, clients) {
		struct ctl_client *client =
			list_entry(it, struct ctl_client, node);

		if (client->id == id)
			return client;
	}
	return NULL;
}

static void end_client(struct ctl *ctl, struct ctl_client *client)
{
	if (client->monitor)
		atomic_fetch_sub(&ctl->n_monitors, 1);
	atomic_fetch_sub(&ctl->context.n_connections, 1);
	epoll_ctl(ctl->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
	list_del(&client->node);
	ctl_leave_place(&ctl->left, client);
}

/* Waits for what it is to wait for, or ends it. */
static void settle(struct ctl *ctl, struct ctl_client *client)
{
	struct epoll_event event = {
		.events = ctl_client_events(client),
		.data.u64 = client->id,
	};
	bool idle = !client->busy && list_empty(&client->output);

	if (idle && client->ended && client->capture && !client->broken) {
		ctl_client_end_capture(client, "asked");
		idle = list_empty(&client->output);
		event.events = ctl_client_events(client);
	}
	if (client->broken || (idle && client->closing) ||
	    (idle && client->ended && !client->monitor) ||
	    epoll_ctl(ctl->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) < 0)
		end_client(ctl, client);
}

/* ---- requests ---- */

static void run_job(struct work *work)
{
	struct job *job = container_of(work, struct job, work);
	struct ctl *ctl = job->ctl;

	job->answer =
		ctl_run(&ctl->context, &job->request, &job->who, &job->capture);
	lock_acquire(&ctl->lock);
	list_add_tail(&ctl->done, &job->node);
	lock_release(&ctl->lock);
	eventfd_write(ctl->wake_fd, 1);
}

static void free_job(struct job *job)
{
	if (job->capture)
		json_decref(ctl_capture_end(job->capture, "asked"));
	ctl_capture_free(job->capture);
	free(job->who.groups);
	free(job->answer);
	free(job);
}

static void look_at(const struct ctl *ctl, const struct ctl_client *client,
		    struct ctl_who *ret_who)
{
	const struct ctl_peer *peer = &client->peer;

	*ret_who = (struct ctl_who){
		.pid = peer->pid,
		.uid = peer->uid,
		.trusted = ctl_peer_may(peer, ctl->context.owner, CTL_WRITE),
		.looks = ctl_peer_may(peer, ctl->context.owner, CTL_READ),
	};
	ret_who->groups = ctl_peer_groups(client->fd, &ret_who->n_groups);
}

static void begin_job(struct ctl *ctl, struct ctl_client *client,
		      const struct ctl_request *request)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		client->broken = true;
		return;
	}
	job->work.run = run_job;
	job->ctl = ctl;
	job->client = client->id;
	job->request = *request;
	if (ctl_right_of(request->command) == CTL_CAPTURE)
		look_at(ctl, client, &job->who);
	client->busy = true;
	work_put(ctl->work, &job->work);
}

static void begin_monitor(struct ctl *ctl, struct ctl_client *client)
{
	atomic_fetch_add(&ctl->n_monitors, 1);
	client->monitor = true;
	ctl_client_send(client, ctl_answer(json_object()));
}

static void obey(struct ctl *ctl, struct ctl_client *client,
		 const struct ctl_request *request)
{
	struct ctl_error error;

	if (!ctl_peer_may(&client->peer, ctl->context.owner,
			  ctl_right_of(request->command))) {
		ctl_refuse_peer(client->peer.uid, request, &error);
		ctl_client_send(client, ctl_refusal(&error));
	} else if (request->command == CTL_CAPTURE_PACKETS && client->capture) {
		ctl_fail(&error, "invalid",
			 "this connection has its capture: open another one");
		ctl_client_send(client, ctl_refusal(&error));
	} else if (request->command == CTL_MONITOR) {
		begin_monitor(ctl, client);
	} else {
		begin_job(ctl, client, request);
	}
}

static void take_request(struct ctl *ctl, struct ctl_client *client)
{
	struct ctl_request request;
	struct ctl_error error;
	const char *text;
	size_t len;
	int r = ctl_input_get(&client->input, &text, &len);

	if (r < 0) {
		ctl_client_refuse(client, "too-large",
				  "a request has 1 to %u bytes behind a length "
				  "of 4 bytes in network byte order",
				  CTL_MAX_REQUEST);
		return;
	}
	if (r == CTL_INPUT_PART)
		return;
	client->deadline_ms = 0;
	r = ctl_request_parse(text, len, &request, &error);
	ctl_input_drop(&client->input);
	if (r < 0)
		ctl_client_send(client, ctl_refusal(&error));
	else
		obey(ctl, client, &request);
}

/* Until one is being answered, or none is whole. */
static void take_requests(struct ctl *ctl, struct ctl_client *client)
{
	size_t before;

	do {
		before = client->input.n;
		if (client->busy || client->monitor || client->closing ||
		    client->broken || !list_empty(&client->output))
			return;
		take_request(ctl, client);
	} while (client->input.n < before);
	/* The beginning of the next one. */
	if (client->input.n > 0 && client->deadline_ms == 0 && !client->busy)
		client->deadline_ms = now_ms() + CTL_PATIENCE_MS;
}

static void on_client(struct ctl *ctl, struct ctl_client *client,
		      uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		client->broken = true;
	if (!client->broken && events & EPOLLOUT)
		ctl_client_flush(client);
	if (!client->broken && events & EPOLLIN)
		ctl_client_receive(client);
	take_requests(ctl, client);
	settle(ctl, client);
}

/* ---- connections ---- */

static void add_client(struct ctl *ctl, int fd)
{
	struct epoll_event event = {.data.u64 = ++ctl->last_id};
	struct ctl_client *client;
	struct ctl_peer peer;

	if (ctl_peer_look_up(fd, ctl->group, ctl->context.options.table,
			     &peer) < 0 ||
	    epoll_ctl(ctl->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return;
	}
	client = ctl_client_new(fd, &peer);
	if (!client) {
		close(fd);
		return;
	}
	if (!ctl_has_place(&ctl->clients, &ctl->left, &peer,
			   ctl->context.owner)) {
		/* With what can be sent at once, and not a moment longer. */
		ctl_client_refuse(client, "too-many",
				  "too many connections, or ended ones that "
				  "were not read to the end: read, or close "
				  "some");
		ctl_client_free(client);
		return;
	}
	client->id = event.data.u64;
	list_add_tail(&ctl->clients, &client->node);
	atomic_fetch_add(&ctl->context.n_connections, 1);
	settle(ctl, client);
}

/* Without a descriptor it would be told of the connection for ever. */
static void turn_away(struct ctl *ctl)
{
	int fd;

	close(ctl->spare_fd);
	fd = accept4(ctl->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	ctl->spare_fd = fcntl(ctl->epoll_fd, F_DUPFD_CLOEXEC, 0);
	log_warning("control: no descriptor is left for a connection");
}

static void on_connection(struct ctl *ctl)
{
	int fd = accept4(ctl->listen_fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		add_client(ctl, fd);
	else if (errno == EMFILE || errno == ENFILE)
		turn_away(ctl);
}

/* ---- what other threads have left ---- */

static void observe(void *arg, const struct dev_event *event)
{
	struct ctl *ctl = arg;
	struct event *e;

	if (atomic_load(&ctl->n_monitors) == 0)
		return;
	e = malloc(sizeof(*e));
	if (e)
		e->event = *event;
	lock_acquire(&ctl->lock);
	if (e && ctl->n_events < MAX_EVENTS) {
		list_add_tail(&ctl->events, &e->node);
		ctl->n_events++;
		e = NULL;
	} else {
		ctl->lost = true;
	}
	lock_release(&ctl->lock);
	free(e);
	eventfd_write(ctl->wake_fd, 1);
}

/* What it ends is not in the list any more, what follows is. */
static void tell_monitors(struct ctl *ctl, const char *text, bool lost)
{
	list_for_each_safe (it, tmp, &ctl->clients) {
		struct ctl_client *client =
			list_entry(it, struct ctl_client, node);

		if (!client->monitor || client->closing)
			continue;
		if (text)
			ctl_client_send_text(client, text, strlen(text));
		if (lost)
			ctl_client_refuse(client, "too-slow",
					  "more happened than could be told; "
					  "some events are lost: look at "
					  "\"list\", and begin anew");
		settle(ctl, client);
	}
}

static void tell_event(struct ctl *ctl, const struct dev_event *event)
{
	json_t *message = ctl_event(ctl_describe_event(event));
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	tell_monitors(ctl, text, !text);
	free(text);
}

static void give_answer(struct ctl_client *client, struct job *job)
{
	int fd = -1;

	if (job->capture) {
		fd = ctl_capture_take_fd(job->capture);
		client->capture = job->capture;
		job->capture = NULL;
	}
	ctl_client_send_fd(client, job->answer, strlen(job->answer), fd);
}

static void finish_job(struct ctl *ctl, struct job *job)
{
	struct ctl_client *client = find(&ctl->clients, job->client);
	struct ctl_client *left = find(&ctl->left, job->client);

	if (left)
		left->busy = false;
	if (client) {
		client->busy = false;
		if (job->answer)
			give_answer(client, job);
		else
			client->broken = true;
		/* Whatever it has sent meanwhile. */
		take_requests(ctl, client);
		settle(ctl, client);
	}
	free_job(job);
}

static void on_wake(struct ctl *ctl)
{
	struct list done, events;
	eventfd_t count;
	bool lost;

	list_init(&done);
	list_init(&events);
	eventfd_read(ctl->wake_fd, &count);
	lock_acquire(&ctl->lock);
	list_splice_tail(&done, &ctl->done);
	list_splice_tail(&events, &ctl->events);
	lost = ctl->lost;
	ctl->lost = false;
	ctl->n_events = 0;
	lock_release(&ctl->lock);
	list_for_each_safe (it, tmp, &events) {
		struct event *event = list_entry(it, struct event, node);

		tell_event(ctl, &event->event);
		free(event);
	}
	if (lost)
		tell_monitors(ctl, NULL, true);
	list_for_each_safe (it2, tmp2, &done)
		finish_job(ctl, list_entry(it2, struct job, node));
}

/* ---- time ---- */

static void on_timer(struct ctl *ctl)
{
	uint64_t now = now_ms(), count;

	if (read(ctl->timer_fd, &count, sizeof(count)) < 0)
		return;
	ctl->timer_ms = 0;
	list_for_each_safe (it, tmp, &ctl->clients) {
		struct ctl_client *client =
			list_entry(it, struct ctl_client, node);

		if (client->deadline_ms == 0 || client->deadline_ms > now)
			continue;
		ctl_client_time_out(client);
		settle(ctl, client);
	}
}

/* Only while somebody has a deadline. */
static void set_timer(struct ctl *ctl)
{
	struct itimerspec spec = {0};
	uint64_t due = 0;

	list_for_each (it, &ctl->clients) {
		uint64_t d =
			list_entry(it, struct ctl_client, node)->deadline_ms;

		if (d != 0 && (due == 0 || d < due))
			due = d;
	}
	if (due == ctl->timer_ms)
		return;
	ctl->timer_ms = due;
	spec.it_value.tv_sec = (time_t)(due / 1000);
	spec.it_value.tv_nsec = (long)(due % 1000 * 1000000);
	timerfd_settime(ctl->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* ---- the whole ---- */

void ctl_dispatch(void *arg)
{
	struct epoll_event events[16];
	struct ctl *ctl = arg;
	int n = epoll_wait(ctl->epoll_fd, events, ARRAY_SIZE(events), 0);

	for (int i = 0; i < n; i++) {
		uint64_t id = events[i].data.u64;
		struct ctl_client *client;

		if (id == ID_LISTEN)
			on_connection(ctl);
		else if (id == ID_WAKE)
			on_wake(ctl);
		else if (id == ID_TIMER)
			on_timer(ctl);
		else if ((client = find(&ctl->clients, id)))
			on_client(ctl, client, events[i].events);
	}
	set_timer(ctl);
}

int ctl_fd(const struct ctl *ctl)
{
	return ctl->epoll_fd;
}

static int watch(struct ctl *ctl, int fd, uint64_t id)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = id};

	return epoll_ctl(ctl->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_all(struct ctl *ctl)
{
	ctl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ctl->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ctl->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	ctl->spare_fd = fcntl(ctl->epoll_fd, F_DUPFD_CLOEXEC, 0);
	if (ctl->epoll_fd < 0 || ctl->wake_fd < 0 || ctl->timer_fd < 0 ||
	    ctl->spare_fd < 0)
		return -errno;
	/* One that was handed to us may block. */
	if (fcntl(ctl->listen_fd, F_SETFL, O_NONBLOCK) < 0 ||
	    watch(ctl, ctl->listen_fd, ID_LISTEN) < 0 ||
	    watch(ctl, ctl->wake_fd, ID_WAKE) < 0 ||
	    watch(ctl, ctl->timer_fd, ID_TIMER) < 0)
		return -errno;
	return work_queue_new("tund-control", 1, &ctl->work);
}

int ctl_start(const struct ctl_options *options, struct ctl **ret_ctl)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));
	int r;

	if (!ctl)
		return -ENOMEM;
	/* While no other thread could do so at the same time. */
	json_object_seed(0);
	ctl->context.options = *options;
	ctl->context.owner = geteuid();
	ctl->context.started = time(NULL);
	ctl->listen_fd = options->listen_fd;
	ctl->group = ctl_group();
	ctl->last_id = ID_LAST;
	ctl->epoll_fd = ctl->wake_fd = ctl->timer_fd = ctl->spare_fd = -1;
	list_init(&ctl->clients);
	list_init(&ctl->left);
	lock_init(&ctl->lock, LOCK_RANK_CONTROL, "control");
	list_init(&ctl->done);
	list_init(&ctl->events);
	r = open_all(ctl);
	if (r < 0) {
		ctl_free(ctl);
		return r;
	}
	dev_table_observe(options->table, observe, ctl);
	*ret_ctl = ctl;
	return 0;
}

void ctl_stop(struct ctl *ctl)
{
	while (!list_empty(&ctl->clients)) {
		struct ctl_client *client =
			list_entry(ctl->clients.next, struct ctl_client, node);

		if (client->capture)
			ctl_client_end_capture(client, "stopped");
		end_client(ctl, client);
	}
	ctl_free_left(&ctl->left);
	if (ctl->work)
		work_queue_stop(ctl->work);
	/* What they have begun is the devices', which go before us. */
	list_for_each_safe (it, tmp, &ctl->done)
		free_job(list_entry(it, struct job, node));
	list_init(&ctl->done);
}

void ctl_free(struct ctl *ctl)
{
	ctl_stop(ctl);
	if (ctl->work)
		work_queue_free(ctl->work);
	list_for_each_safe (it, tmp, &ctl->events)
		free(list_entry(it, struct event, node));
	cleanup_close(&ctl->spare_fd);
	cleanup_close(&ctl->timer_fd);
	cleanup_close(&ctl->wake_fd);
	cleanup_close(&ctl->epoll_fd);
	lock_destroy(&ctl->lock);
	free(ctl);
}
