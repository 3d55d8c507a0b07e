/* SPDX-License-Identifier: MIT */
/*
 * client-lib/options.c - structures that grow from version to version, and
 * whether what is in the options makes sense. It opens nothing.
 */
#include <errno.h>
#include <string.h>

#include "options.h"

/* No version before this one: what it knows is the least. */
int tunclient_take_struct_(void *ret_ours, size_t our_size, const void *theirs)
{
	const unsigned char *bytes = theirs;
	size_t size;

	memcpy(&size, theirs, sizeof(size));
	if (size < our_size)
		return -EINVAL;
	for (size_t i = our_size; i < size; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(ret_ours, theirs, our_size);
	return 0;
}

int tunclient_give_struct_(void *ret_theirs, const void *ours, size_t our_size)
{
	unsigned char *bytes = ret_theirs;
	size_t size;

	memcpy(&size, ret_theirs, sizeof(size));
	if (size < our_size)
		return -EINVAL;
	memcpy(bytes + sizeof(size), (const unsigned char *)ours + sizeof(size),
	       our_size - sizeof(size));
	memset(bytes + our_size, 0, size - our_size);
	return 0;
}

const char *tunclient_offloads_fault_(unsigned int offloads)
{
	const unsigned int tso =
		TUNCLIENT_OFFLOAD_TSO4 | TUNCLIENT_OFFLOAD_TSO6;
	const unsigned int all = TUNCLIENT_OFFLOAD_CSUM | tso |
				 TUNCLIENT_OFFLOAD_TSO_ECN |
				 TUNCLIENT_OFFLOAD_USO;
	unsigned int uso = offloads & TUNCLIENT_OFFLOAD_USO;

	if (offloads & ~all)
		return "there is an unknown offload";
	if (offloads && !(offloads & TUNCLIENT_OFFLOAD_CSUM))
		return "all offloads need TUNCLIENT_OFFLOAD_CSUM";
	if ((offloads & TUNCLIENT_OFFLOAD_TSO_ECN) && !(offloads & tso))
		return "TUNCLIENT_OFFLOAD_TSO_ECN needs one of TSO4 and TSO6";
	if (uso && uso != TUNCLIENT_OFFLOAD_USO)
		return "TUNCLIENT_OFFLOAD_USO cannot be divided";
	return NULL;
}

int tunclient_take_options_(const struct tunclient_options *theirs,
			    struct tunclient_options *ret_options,
			    const char **ret_fault)
{
	int r;

	memset(ret_options, 0, sizeof(*ret_options));
	if (!theirs)
		return 0;
	r = tunclient_take_struct_(ret_options, sizeof(*ret_options), theirs);
	if (r == -E2BIG)
		*ret_fault = "tunclient_open() was given options of a later "
			     "version of libtunclient";
	else if (r < 0)
		*ret_fault = "tunclient_open() was given options whose size is "
			     "not set";
	if (r < 0)
		return r;
	*ret_fault = tunclient_offloads_fault_(ret_options->offloads);
	if (ret_options->flags & ~(TUNCLIENT_NONBLOCK | TUNCLIENT_RING))
		*ret_fault = "tunclient_open() was given an unknown flag";
	else if (ret_options->plane > TUNCLIENT_PLANE_KERNEL)
		*ret_fault = "tunclient_open() was given an unknown plane";
	return *ret_fault ? -EINVAL : 0;
}
