// SPDX-License-Identifier: MIT
/* F14: a link whose hidden end only a socket holds dies with that socket. */
#include "platform-net.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SOCKET = 100, /* the number of the descriptor */
};

static void build(void)
{
	int here = platform_net_here();
	int hidden_net = platform_net_new();
	struct platform_frame frame;
	int visible_fd;

	platform_veth("visible", "hidden", hidden_net);
	platform_net_enter(hidden_net);
	platform_link_up("hidden");
	/* Inherited by the client; nobody else goes on holding it. */
	must(dup2(platform_packet_socket("hidden", SOCK_RAW), SOCKET));
	platform_net_enter(here);
	platform_link_up("visible");
	platform_packet_option(SOCKET, PACKET_QDISC_BYPASS, 1);
	visible_fd = platform_packet_socket("visible", SOCK_RAW);
	expect(platform_send(SOCKET, 100) == 100, "set-up: no frame");
	expect_soon(platform_receive(visible_fd, &frame) == 100,
		    "set-up: the pair does not carry frames");
}

/* The daemon of the play: builds, hands on, and is done. */
static void daemon_main(int pipe_fd) __attribute__((noreturn));

static void daemon_main(int pipe_fd)
{
	pid_t client;

	build();
	client = (pid_t)must(fork());
	if (client == 0) {
		struct pollfd end = {.events = 0};

		/* All but the socket goes, as if it had come by a message. */
		end.fd = (int)must(dup2(platform_lifeline(), SOCKET + 1));
		must(close_range(3, SOCKET - 1, 0));
		must(close_range(SOCKET + 2, ~0u, 0));
		while (poll(&end, 1, -1) <= 0)
			;
		_exit(0);
	}
	must(write(pipe_fd, &client, sizeof(client)));
	for (;;)
		pause();
}

int main(void)
{
	int pipe_fds[2];
	pid_t client;
	pid_t daemon;

	platform_begin();
	must(pipe(pipe_fds));
	daemon = platform_fork();
	if (daemon == 0)
		daemon_main(pipe_fds[1]);
	close(pipe_fds[1]);
	expect(read(pipe_fds[0], &client, sizeof(client)) == sizeof(client),
	       "set-up: no client");

	kill(daemon, SIGKILL);
	must(waitpid(daemon, NULL, 0));
	expect_never(!platform_link_exists("visible"),
		     "the link dies with the daemon");
	kill(client, SIGKILL);
	expect_soon(!platform_link_exists("visible"),
		    "the link outlives its client");
	return 0;
}
