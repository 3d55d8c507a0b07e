/* SPDX-License-Identifier: MIT */
/*
 * config_values.c - values of keys: numbers, words, users, addresses; those
 * with paths and patterns are config_patterns.c's. What is wrong is told
 * together with what would be right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "config_reading.h"
#include <tund/abi.h>

#define BLANKS " \t"

static bool to_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return errno == 0 && !*end && *ret_number <= max;
}

bool value_number(const struct config_value *v, uint64_t min, uint64_t max,
		  uint64_t *ret_number)
{
	uint64_t number;

	if (!to_number(v->text, max, &number) || number < min) {
		config_mistake(v->reading,
			       "%s=%s: not a number from %" PRIu64
			       " to %" PRIu64,
			       v->key, v->text, min, max);
		return false;
	}
	*ret_number = number;
	return true;
}

bool value_size(const struct config_value *v, uint64_t min, uint64_t *ret_bytes)
{
	static const char units[] = "KMG";
	size_t len = strlen(v->text);
	char digits[16];
	const char *unit;
	uint64_t number;
	int shift = 0;

	unit = strchr(units, v->text[len - 1]);
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		len--;
	}
	snprintf(digits, sizeof(digits), "%.*s", (int)len, v->text);
	if (len >= sizeof(digits) ||
	    !to_number(digits, UINT32_MAX >> shift, &number) ||
	    number << shift < min) {
		config_mistake(v->reading,
			       "%s=%s: not a number of bytes from %" PRIu64
			       "K to below 4G, with or without K, M or G",
			       v->key, v->text, min >> 10);
		return false;
	}
	*ret_bytes = number << shift;
	return true;
}

bool value_bool(const struct config_value *v, bool *ret_value)
{
	bool yes = strcmp(v->text, "yes") == 0;

	if (!yes && strcmp(v->text, "no") != 0) {
		config_mistake(v->reading, "%s=%s: neither yes nor no", v->key,
			       v->text);
		return false;
	}
	*ret_value = yes;
	return true;
}

/* ---- words ---- */

bool config_next_word(const char **at, char ret_word[MAX_WORD])
{
	size_t len;

	*at += strspn(*at, BLANKS);
	len = strcspn(*at, BLANKS);
	if (len == 0)
		return false;
	snprintf(ret_word, MAX_WORD, "%.*s", (int)len, *at);
	*at += len;
	return true;
}

static const struct value_bit *find_bit(const struct value_bit *table, size_t n,
					const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].word, word) == 0)
			return &table[i];
	return NULL;
}

static void unknown_word(const struct config_value *v,
			 const struct value_bit *table, size_t n,
			 const char *word)
{
	char known[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used,
					 "%s %s", used ? "," : "",
					 table[i].word);
	config_mistake(v->reading, "%s=%s: \"%s\" is none of%s", v->key,
		       v->text, word, known);
}

bool value_bits(const struct config_value *v, const struct value_bit *table,
		size_t n, unsigned int *bits)
{
	unsigned int all = *bits;
	const char *at = v->text;
	char word[MAX_WORD];

	while (config_next_word(&at, word)) {
		const struct value_bit *bit = find_bit(table, n, word);

		if (!bit) {
			unknown_word(v, table, n, word);
			return false;
		}
		all |= bit->bits;
	}
	if (all & VALUE_NONE && all & ~VALUE_NONE) {
		config_mistake(v->reading, "%s=%s: none, or something", v->key,
			       v->text);
		return false;
	}
	*bits = all;
	return true;
}

static bool no_memory(struct reading *reading)
{
	reading->no_memory = true;
	return false;
}

bool config_add_word(struct reading *reading, struct word_list *list,
		     const char *word)
{
	char **words = reallocarray(list->words, list->n + 1, sizeof(*words));

	if (!words)
		return no_memory(reading);
	list->words = words;
	words[list->n] = strdup(word);
	if (!words[list->n])
		return no_memory(reading);
	list->n++;
	return true;
}

/* ---- users and groups ---- */

static bool look_up(const struct config_value *v, enum ids ids,
		    const char *word, struct id_range *ret_range)
{
	bool group = ids & IDS_GROUP;
	const struct passwd *user = group ? NULL : getpwnam(word);
	const struct group *entry = group ? getgrnam(word) : NULL;

	if (!user && !entry) {
		config_mistake(v->reading,
			       "%s=%s: there is no %s \"%s\": add it, or write "
			       "a number%s",
			       v->key, v->text, group ? "group" : "user", word,
			       ids & IDS_ONE ? ""
					     : ", or two as in 100000-165535");
		return false;
	}
	ret_range->first = ret_range->last =
		user ? user->pw_uid : entry->gr_gid;
	return true;
}

static bool to_range(const struct config_value *v, enum ids ids,
		     const char *word, struct id_range *ret_range)
{
	const char *dash = strchr(word, '-');
	char first_word[MAX_WORD];
	uint64_t first, last;

	if (word[0] < '0' || word[0] > '9')
		return look_up(v, ids, word, ret_range);
	snprintf(first_word, sizeof(first_word), "%.*s",
		 (int)(dash ? (size_t)(dash - word) : strlen(word)), word);
	/* The last number is nobody's. */
	if (!to_number(first_word, UINT32_MAX - 1, &first) ||
	    !to_number(dash ? dash + 1 : first_word, UINT32_MAX - 1, &last) ||
	    last < first) {
		config_mistake(v->reading,
			       "%s=%s: \"%s\" is no number of a %s%s", v->key,
			       v->text, word,
			       ids & IDS_GROUP ? "group" : "user",
			       ids & IDS_ONE ? ""
					     : " and no range of them as in "
					       "100000-165535");
		return false;
	}
	ret_range->first = (uint32_t)first;
	ret_range->last = (uint32_t)last;
	return true;
}

bool value_ids(const struct config_value *v, enum ids ids, struct id_set *set)
{
	const char *at = v->text;
	char word[MAX_WORD];

	while (config_next_word(&at, word)) {
		struct id_range range, *ranges;

		if (!to_range(v, ids, word, &range))
			return false;
		ranges = reallocarray(set->ranges, set->n + 1, sizeof(*ranges));
		if (!ranges)
			return no_memory(v->reading);
		set->ranges = ranges;
		ranges[set->n++] = range;
	}
	return true;
}

/* ---- addresses ---- */

static unsigned int bits_of(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* ADDRESS or ADDRESS/BITS. */
static bool to_prefix(const char *word, struct ip_prefix *ret_prefix)
{
	const char *slash = strchr(word, '/');
	char address[MAX_WORD];
	uint64_t bits;

	snprintf(address, sizeof(address), "%.*s",
		 (int)(slash ? (size_t)(slash - word) : strlen(word)), word);
	*ret_prefix = (struct ip_prefix){
		.family = strchr(address, ':') ? AF_INET6 : AF_INET,
	};
	if (inet_pton(ret_prefix->family, address, ret_prefix->address) != 1)
		return false;
	bits = bits_of(ret_prefix->family);
	if (slash && !to_number(slash + 1, bits, &bits))
		return false;
	ret_prefix->bits = (uint8_t)bits;
	return true;
}

/* Whether there is nothing behind the prefix's bits. */
static bool is_network(const struct ip_prefix *prefix)
{
	for (unsigned int i = prefix->bits; i < bits_of(prefix->family); i++)
		if (prefix->address[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

/* Of a network: without bits behind the prefix. */
static bool value_network(const struct config_value *v, const char *word,
			  struct ip_prefix *ret_prefix)
{
	if (!to_prefix(word, ret_prefix)) {
		config_mistake(v->reading,
			       "%s=%s: \"%s\" is no network: write it as "
			       "10.8.0.0/24 or fd00::/64",
			       v->key, v->text, word);
		return false;
	}
	if (!is_network(ret_prefix)) {
		config_mistake(v->reading,
			       "%s=%s: \"%s\" has bits behind its /%u: set "
			       "them to 0, or write a longer prefix",
			       v->key, v->text, word, ret_prefix->bits);
		return false;
	}
	return true;
}

bool value_prefixes(const struct config_value *v, struct ip_prefixes *set)
{
	const char *at = v->text;
	char word[MAX_WORD];

	while (config_next_word(&at, word)) {
		struct ip_prefix prefix, *prefixes;

		if (!value_network(v, word, &prefix))
			return false;
		if (set->n == POLICY_MAX_SOURCES) {
			config_mistake(v->reading,
				       "%s=: more than %d networks; name "
				       "larger ones",
				       v->key, POLICY_MAX_SOURCES);
			return false;
		}
		prefixes = reallocarray(set->prefixes, set->n + 1,
					sizeof(*prefixes));
		if (!prefixes)
			return no_memory(v->reading);
		set->prefixes = prefixes;
		prefixes[set->n++] = prefix;
	}
	return true;
}

bool config_add_step(struct reading *reading, struct dev_setup *setup,
		     const struct tund_config *step)
{
	struct dev_step *steps =
		reallocarray(setup->steps, setup->n + 1, sizeof(*steps));

	if (!steps)
		return no_memory(reading);
	setup->steps = steps;
	steps[setup->n++] = (struct dev_step){*step, reading->line};
	return true;
}

static bool has_no_more(const char *at)
{
	return at[strspn(at, BLANKS)] == '\0';
}

/* ADDRESS/BITS [peer ADDRESS] */
bool value_address(const struct config_value *v, struct dev_setup *setup,
		   bool *ret_ipv6)
{
	struct tund_config step = {.what = TUND_CONFIG_ADDRESS_ADD};
	struct ip_prefix own, peer = {0};
	const char *at = v->text;
	char word[MAX_WORD] = "";
	bool ok;

	config_next_word(&at, word);
	ok = strchr(word, '/') && to_prefix(word, &own);
	if (ok && config_next_word(&at, word))
		ok = strcmp(word, "peer") == 0 && config_next_word(&at, word) &&
		     !strchr(word, '/') && to_prefix(word, &peer) &&
		     peer.family == own.family && has_no_more(at);
	if (!ok) {
		config_mistake(v->reading,
			       "%s=%s: write it as 10.8.0.2/24, fd00::2/64 or "
			       "10.8.0.2/32 peer 10.8.0.1",
			       v->key, v->text);
		return false;
	}
	step.family = own.family;
	step.prefix = own.bits;
	memcpy(step.address, own.address, sizeof(step.address));
	memcpy(step.peer, peer.address, sizeof(step.peer));
	*ret_ipv6 |= own.family == AF_INET6;
	return config_add_step(v->reading, setup, &step);
}

/* What comes behind the network: via GATEWAY and metric NUMBER. */
static bool read_route_words(const char *at, uint8_t family,
			     struct tund_config *step)
{
	char word[MAX_WORD], value[MAX_WORD];

	while (config_next_word(&at, word)) {
		struct ip_prefix via;
		uint64_t metric;

		if (!config_next_word(&at, value))
			return false;
		if (strcmp(word, "via") == 0) {
			if (strchr(value, '/') || !to_prefix(value, &via) ||
			    via.family != family)
				return false;
			memcpy(step->peer, via.address, sizeof(step->peer));
		} else if (strcmp(word, "metric") == 0) {
			if (!to_number(value, UINT32_MAX, &metric))
				return false;
			step->value = (uint32_t)metric;
		} else {
			return false;
		}
	}
	return true;
}

/* NETWORK [via GATEWAY] [metric NUMBER]; default is IPv4's. */
bool value_route(const struct config_value *v, struct dev_setup *setup)
{
	struct tund_config step = {.what = TUND_CONFIG_ROUTE_ADD};
	const char *at = v->text;
	char word[MAX_WORD] = "";
	struct ip_prefix to;

	config_next_word(&at, word);
	if (strcmp(word, "default") == 0)
		strcpy(word, "0.0.0.0/0");
	if (!value_network(v, word, &to))
		return false;
	if (!read_route_words(at, to.family, &step)) {
		config_mistake(v->reading,
			       "%s=%s: behind the network come \"via ADDRESS\" "
			       "of the same family and \"metric NUMBER\", no "
			       "more",
			       v->key, v->text);
		return false;
	}
	step.family = to.family;
	step.prefix = to.bits;
	memcpy(step.address, to.address, sizeof(step.address));
	return config_add_step(v->reading, setup, &step);
}
