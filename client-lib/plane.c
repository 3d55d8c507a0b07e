/* SPDX-License-Identifier: MIT */
/* client-lib/plane.c - the planes that there are. It knows none of them. */
#include "plane.h"

const struct tunclient_plane *const tunclient_planes_[] = {
	&tunclient_plane_direct_,
	&tunclient_plane_file_,
	&tunclient_plane_kernel_,
	NULL,
};

bool tunclient_plane_is_allowed_(const struct tunclient *client,
				 const struct tunclient_plane *plane)
{
	unsigned int wanted = client->options.plane;

	return (wanted == TUNCLIENT_PLANE_AUTO || wanted == plane->number) &&
	       plane->is_possible(client);
}

void tunclient_planes_opened_(struct tunclient *client)
{
	for (size_t i = 0; tunclient_planes_[i]; i++)
		if (tunclient_planes_[i]->opened &&
		    tunclient_planes_[i]->is_possible(client))
			tunclient_planes_[i]->opened(client);
}

void tunclient_planes_closed_(struct tunclient *client)
{
	for (size_t i = 0; tunclient_planes_[i]; i++)
		if (tunclient_planes_[i]->closed &&
		    tunclient_planes_[i]->is_possible(client))
			tunclient_planes_[i]->closed(client);
}
