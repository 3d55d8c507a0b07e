/* SPDX-License-Identifier: MIT */
/* subuid.c - lines of a user, the first of his numbers and how many there are.
 */
#include "subuid.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/policy.h"

/* Beyond the last number that there can be. */
#define END_OF_IDS UINT32_MAX

/* A name, or a number. */
static bool find_user(const char *user, uid_t *ret_uid)
{
	const struct passwd *entry = getpwnam(user);
	char *end;
	unsigned long uid;

	if (entry) {
		*ret_uid = entry->pw_uid;
		return true;
	}
	errno = 0;
	uid = strtoul(user, &end, 10);
	if (user[0] < '0' || user[0] > '9' || *end || errno ||
	    uid >= END_OF_IDS)
		return false;
	*ret_uid = (uid_t)uid;
	return true;
}

static bool read_line(char *line, struct policy_subuids *ret_subuids)
{
	char *numbers = strchr(line, ':');
	uint64_t first, count;
	uid_t owner;
	char end;

	if (!numbers)
		return false;
	*numbers++ = '\0';
	if (sscanf(numbers, "%" SCNu64 ":%" SCNu64 "%c", &first, &count,
		   &end) != 3 ||
	    end != '\n' || first >= END_OF_IDS || count > END_OF_IDS - first ||
	    !find_user(line, &owner))
		return false;
	*ret_subuids = (struct policy_subuids){
		.first = (uint32_t)first,
		.count = (uint32_t)count,
		.owner = owner,
	};
	return true;
}

int subuid_read(const char *path, struct policy_set *set)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && file && getline(&line, &size, file) > 0) {
		struct policy_subuids subuids;

		if (read_line(line, &subuids))
			r = policy_set_add_subuids(set, &subuids);
	}
	free(line);
	if (file)
		fclose(file);
	return r;
}
