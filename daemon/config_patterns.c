/* SPDX-License-Identifier: MIT */
/*
 * config_patterns.c - values that are paths and patterns. What can fit nothing
 * is a mistake, for a rule that refuses would never do so; whether there is
 * such a thing now is not asked.
 */
#include <net/if.h>
#include <string.h>

#include "base/util.h"
#include "config_reading.h"

/* ---- paths ---- */

/* Where one of them stands behind one of the others, or NULL. */
static const char *find_behind(const char *text, const char *others, char c)
{
	for (const char *at = strchr(text, c); at; at = strchr(at + 1, c))
		if (at > text && strchr(others, at[-1]))
			return at;
	return NULL;
}

bool value_path(const struct config_value *v)
{
	const char *text = v->text;

	if (text[0] == '"' || text[0] == '\'')
		config_mistake(v->reading, "%s=%s: write it without quotes",
			       v->key, text);
	else if (text[0] != '/' || strlen(text) >= PATH_MAX)
		config_mistake(v->reading,
			       "%s=%s: not an absolute path: begin it with a /",
			       v->key, text);
	else if (find_behind(text, " \t", '#'))
		config_mistake(v->reading,
			       "%s=%s: a comment that begins with # has a line "
			       "of its own",
			       v->key, text);
	else if (find_behind(text, " \t,;:", '/'))
		config_mistake(v->reading,
			       "%s=%s: more than one path: each needs a line "
			       "%s= of its own",
			       v->key, text, v->key);
	else
		return true;
	return false;
}

bool value_paths(const struct config_value *v, struct word_list *list)
{
	return value_path(v) && config_add_word(v->reading, list, v->text);
}

/* ---- patterns ---- */

/* Behind the ] of the bracket that begins there, or NULL: there is none. */
static const char *skip_bracket(const char *at)
{
	at++;
	if (*at == '!' || *at == '^')
		at++;
	if (*at == ']')
		at++;
	for (; *at && *at != ']' && *at != '/'; at++) {
		const char class_end[] = {at[1], ']', '\0'};
		const char *end = *at == '[' && at[1] && strchr(":.=", at[1])
					  ? strstr(at + 2, class_end)
					  : NULL;

		if (end)
			at = end + 1;
	}
	return *at == ']' ? at + 1 : NULL;
}

/*
 * How many characters it needs at least, brackets apart; `ret_plain` gets those
 * that stand for themselves.
 */
static bool read_pattern(const struct config_value *v, const char *word,
			 char ret_plain[MAX_WORD], size_t *ret_least)
{
	const char *at = word;

	*ret_least = 0;
	while (*at) {
		*ret_least += *at != '*';
		if (*at != '[') {
			*ret_plain++ = *at++;
			continue;
		}
		at = skip_bracket(at);
		if (at)
			continue;
		config_mistake(v->reading,
			       "%s=%s: the [ in \"%s\" lacks its ], as in "
			       "vpn[0-9]",
			       v->key, v->text, word);
		return false;
	}
	*ret_plain = '\0';
	return true;
}

/* What no interface's name has, or nobody means so. */
static const char *why_no_name(const char *word, const char *plain)
{
	static const struct {
		const char *characters, *why;
	} refused[] = {
		{"/", "no interface has a \"/\" in its name"},
		{":", "no interface has a \":\" in its name"},
		{"%", "what %d becomes is looked for: write tun* for tun%d"},
		{",", "blanks stand between names: write vpn0 vpn1"},
		{"\"'", "write it without quotes"},
		{"\\", "a \\ neither quotes nor continues the line: leave it "
		       "out"},
	};

	/* Else the words of a comment would be names, too. */
	if (word[0] == '#')
		return "a comment that begins with # has a line of its own";
	if (strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
		return "no interface has that name";
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strpbrk(plain, refused[i].characters))
			return refused[i].why;
	return NULL;
}

static bool is_pattern_of_name(const struct config_value *v, const char *word)
{
	char plain[MAX_WORD];
	const char *why;
	size_t least;

	if (!read_pattern(v, word, plain, &least))
		return false;
	why = why_no_name(word, plain);
	if (!why && least >= IFNAMSIZ)
		why = "a name has at most 15 characters: shorten it, or end "
		      "it with *";
	if (why)
		config_mistake(v->reading, "%s=%s: %s", v->key, v->text, why);
	return !why;
}

bool value_names(const struct config_value *v, struct word_list *list)
{
	const char *at = v->text;
	char word[MAX_WORD];

	while (config_next_word(&at, word))
		if (!is_pattern_of_name(v, word) ||
		    !config_add_word(v->reading, list, word))
			return false;
	return true;
}

/* ---- control groups ---- */

/* Whether it has an empty name in it, "." or "..". */
static bool has_no_name(const char *path)
{
	while (*path) {
		size_t len = strcspn(++path, "/");

		if (len == 0 || (len <= 2 && strspn(path, ".") >= len))
			return true;
		path += len;
	}
	return false;
}

static bool is_mounted_path(const char *path)
{
	static const char mount[] = "/sys/fs/cgroup";
	const size_t len = sizeof(mount) - 1;

	return strncmp(path, mount, len) == 0 &&
	       (!path[len] || path[len] == '/');
}

bool value_cgroup(const struct config_value *v, struct word_list *list)
{
	size_t len = strlen(v->text), least;
	char path[MAX_WORD], plain[MAX_WORD];

	if (!value_path(v))
		return false;
	/* One that ends in / would have nothing in it. */
	while (len > 1 && v->text[len - 1] == '/')
		len--;
	snprintf(path, sizeof(path), "%.*s", (int)len, v->text);
	if (!read_pattern(v, path, plain, &least))
		return false;
	if (is_mounted_path(path) || (len > 1 && has_no_name(path))) {
		config_mistake(v->reading,
			       "%s=%s: write it as /proc/PID/cgroup has it: "
			       "without /sys/fs/cgroup, \"//\", \".\" and "
			       "\"..\"",
			       v->key, v->text);
		return false;
	}
	return config_add_word(v->reading, list, path);
}
