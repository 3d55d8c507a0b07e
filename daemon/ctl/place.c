/* SPDX-License-Identifier: MIT */
/* place.c - nobody can take the places of those who have more rights. */
#include "ctl/place.h"

#include "ctl/client.h"

/* The last ones are for root. */
#define MAX_CLIENTS    64u
#define ROOTS_CLIENTS  16u
#define MAX_CLIENTS_OF 16u /* one user */

/* Of those who may at most see packets of some device. */
#define MAX_STRANGERS	 16u
#define MAX_STRANGERS_OF 4u

bool ctl_has_place(const struct list *clients, const struct ctl_peer *peer,
		   uid_t owner)
{
	unsigned int n = 0, of_user = 0, strangers = 0;

	list_for_each (it, clients) {
		const struct ctl_peer *other =
			&list_entry(it, struct ctl_client, node)->peer;

		n++;
		of_user += other->account == peer->account;
		strangers += !ctl_peer_may(other, owner, CTL_READ);
	}
	if (ctl_peer_may(peer, owner, CTL_WRITE))
		return n < MAX_CLIENTS;
	if (!ctl_peer_may(peer, owner, CTL_READ) &&
	    (strangers >= MAX_STRANGERS || of_user >= MAX_STRANGERS_OF))
		return false;
	return n < MAX_CLIENTS - ROOTS_CLIENTS && of_user < MAX_CLIENTS_OF;
}
