/* SPDX-License-Identifier: MIT */
/*
 * client-lib/options.h - structures that grow from version to version, and
 * whether what is in the options makes sense. It opens nothing.
 */
#ifndef TUNCLIENT_OPTIONS_H
#define TUNCLIENT_OPTIONS_H

#include <stddef.h>

#include <tunclient.h>

/*
 * From and to a caller's structure, whose first member is its size. What is
 * behind our_size must be 0, or becomes 0. Returns 0, -EINVAL if the caller's
 * is smaller than version 0.1's, or -E2BIG.
 */
int tunclient_take_struct_(void *ret_ours, size_t our_size, const void *theirs);
int tunclient_give_struct_(void *ret_theirs, const void *ours, size_t our_size);

/* What is wrong with them; NULL: nothing. */
const char *tunclient_offloads_fault_(unsigned int offloads);

/* NULL is all defaults. On an error *ret_fault is a constant sentence. */
int tunclient_take_options_(const struct tunclient_options *theirs,
			    struct tunclient_options *ret_options,
			    const char **ret_fault);

#endif
