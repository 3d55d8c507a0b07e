/* SPDX-License-Identifier: MIT */
/*
 * subuid.h - reads which numbers a user has beside his own, subuid(5), so that
 * limits hold for all of them together. Whether he may use them is not ours.
 */
#ifndef TUND_SUBUID_H
#define TUND_SUBUID_H

struct policy_set;

#define DEFAULT_SUBUID "/etc/subuid"

/*
 * Adds them to a set that is made. A file that is not there and lines that are
 * none say nothing, as to newuidmap(1). Returns 0, or -ENOMEM.
 */
int subuid_read(const char *path, struct policy_set *set);

#endif
