/* SPDX-License-Identifier: MIT */
/*
 * config_reading.h - a configuration that is being read, for the files that
 * read it. Private to config*.c.
 */
#ifndef TUND_CONFIG_READING_H
#define TUND_CONFIG_READING_H

#include <stdio.h>

#include "config.h"

enum section_kind {
	SECTION_NONE, /* before the first, or after a mistake in its name */
	SECTION_DAEMON,
	SECTION_DEVICE,
	SECTION_POLICY,
};

struct reading {
	struct config *config;
	void (*say)(const char *message);
	const char *path;
	FILE *file;
	unsigned int line;
	size_t bytes; /* of this file, so far */
	bool failed, no_memory;
	bool cut; /* the line before this piece is longer than can be read */

	enum section_kind section;
	char header[64]; /* as it is written */
	unsigned int section_line;
	/* The last of the configuration's, where the section is one. */
	struct dev_declaration *device;
	struct policy_rule *rule;
	/* Of that section. */
	unsigned int mtu, mtu_line;
	unsigned int allow, planes, offloads; /* of all its lines so far */
	bool has_ipv6, has_up, up, configure;
};

/* At the present line. Goes on, to find them all. */
void config_mistake(struct reading *reading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* config_keys.c */
void config_set_key(struct reading *reading, const char *name,
		    const char *value);
/* Of the section that has begun, or the last one: what is missing in it. */
void config_end_section(struct reading *reading);

/* config_gateways.c */
bool config_has_gateway(const struct tund_config *route);
/* Of a device's section: which no address or route of it reaches. */
void config_check_gateways(struct reading *reading,
			   const struct dev_setup *setup);

/* A value is looked at by these: false after a mistake, which was told. */
struct config_value {
	struct reading *reading;
	const char *key;
	const char *text;
};

/* config_values.c */
bool value_number(const struct config_value *v, uint64_t min, uint64_t max,
		  uint64_t *ret_number);
/* With K, M or G behind it. */
bool value_size(const struct config_value *v, uint64_t min,
		uint64_t *ret_bytes);
bool value_bool(const struct config_value *v, bool *ret_value);

/* The word none: no other may stand beside it, or on another line. */
#define VALUE_NONE (1u << 31)

/* Words of a table; each ors its bits to those that were there. */
struct value_bit {
	const char *word;
	unsigned int bits;
};
bool value_bits(const struct config_value *v, const struct value_bit *table,
		size_t n, unsigned int *bits);

/* What it takes is said; how many there are is not looked at. */
enum ids {
	IDS_USER = 0,
	IDS_GROUP = 1 << 0,
	IDS_ONE = 1 << 1,
};

/* These append; words are separated by blanks. */
bool value_ids(const struct config_value *v, enum ids ids, struct id_set *set);
bool value_prefixes(const struct config_value *v, struct ip_prefixes *set);
bool value_address(const struct config_value *v, struct dev_setup *setup,
		   bool *ret_ipv6);
bool value_route(const struct config_value *v, struct dev_setup *setup);
bool config_add_step(struct reading *reading, struct dev_setup *setup,
		     const struct tund_config *step);

/* config_patterns.c: what can fit nothing is a mistake. These append, too. */
bool value_path(const struct config_value *v);
bool value_paths(const struct config_value *v, struct word_list *list);
bool value_cgroup(const struct config_value *v, struct word_list *list);
bool value_names(const struct config_value *v, struct word_list *list);

/*
 * The next word behind `*at`, copied into a buffer that holds every line, or
 * false at the end.
 */
#define MAX_WORD 256

bool config_next_word(const char **at, char ret_word[MAX_WORD]);
bool config_add_word(struct reading *reading, struct word_list *list,
		     const char *word);

#endif
