/* SPDX-License-Identifier: MIT */
/*
 * place.c - nobody can take the places of those who have more rights; what is
 * not done, or not read, keeps its place, and so memory has a bound, too.
 */
#include "ctl/place.h"

#include "ctl/client.h"

/* The last ones are for root. */
#define MAX_CLIENTS    64u
#define ROOTS_CLIENTS  16u
#define MAX_CLIENTS_OF 16u /* one user */

/*
 * Of those who may at most see packets of some device. The last ones are for
 * users who have none: a few of them cannot keep a device's owner away.
 */
#define MAX_STRANGERS	 32u
#define FIRST_OF_A_USER	 16u
#define MAX_STRANGERS_OF 4u

struct taken {
	unsigned int all, of_user, strangers;
};

static void count(const struct list *clients, const struct ctl_peer *peer,
		  uid_t owner, struct taken *taken)
{
	list_for_each (it, clients) {
		const struct ctl_peer *other =
			&list_entry(it, struct ctl_client, node)->peer;

		taken->all++;
		taken->of_user += other->account == peer->account;
		taken->strangers += !ctl_peer_may(other, owner, CTL_READ);
	}
}

static bool has_strangers_place(const struct taken *taken)
{
	unsigned int max = MAX_STRANGERS;

	if (taken->of_user > 0)
		max -= FIRST_OF_A_USER;
	return taken->strangers < max && taken->of_user < MAX_STRANGERS_OF;
}

static void forget_those_who_are_done(struct list *left)
{
	list_for_each_safe (it, tmp, left) {
		struct ctl_client *client =
			list_entry(it, struct ctl_client, node);

		if (client->busy || ctl_client_is_unread(client))
			continue;
		list_del(&client->node);
		ctl_client_free(client);
	}
}

bool ctl_has_place(const struct list *clients, struct list *left,
		   const struct ctl_peer *peer, uid_t owner)
{
	struct taken taken = {0};

	forget_those_who_are_done(left);
	count(clients, peer, owner, &taken);
	count(left, peer, owner, &taken);
	if (ctl_peer_may(peer, owner, CTL_WRITE))
		return taken.all < MAX_CLIENTS;
	if (!ctl_peer_may(peer, owner, CTL_READ) &&
	    !has_strangers_place(&taken))
		return false;
	return taken.all < MAX_CLIENTS - ROOTS_CLIENTS &&
	       taken.of_user < MAX_CLIENTS_OF;
}

void ctl_leave_place(struct list *left, struct ctl_client *client)
{
	ctl_client_end(client);
	list_add_tail(left, &client->node);
	forget_those_who_are_done(left);
}

void ctl_free_left(struct list *left)
{
	while (!list_empty(left)) {
		struct ctl_client *client =
			list_entry(left->next, struct ctl_client, node);

		list_del(&client->node);
		ctl_client_free(client);
	}
}
