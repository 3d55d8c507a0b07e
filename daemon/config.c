/* SPDX-License-Identifier: MIT */
/*
 * config.c - the configuration files, read with inih: which there are, their
 * lines and sections. What a key means is config_keys.c's.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "config_reading.h"
#include "subuid.h"

/* isspace(3) in the "C" locale. */
#define BLANKS		" \t\n\v\f\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Of one file: more than anybody has written by hand. */
#define MAX_BYTES (1 << 20)

#define NOT_REGULAR                                                            \
	"it is no regular file, which a configuration must be: put one there"

/* It may be about a file that is no text. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 3, 0))) static void tell(struct reading *reading,
						       unsigned int line,
						       const char *format,
						       va_list args)
{
	char what[512], message[PATH_MAX + 600];

	vsnprintf(what, sizeof(what), format, args);
	if (line)
		snprintf(message, sizeof(message), "%s:%u: %s", reading->path,
			 line, what);
	else
		snprintf(message, sizeof(message), "%s: %s", reading->path,
			 what);
	reading->failed = true;
	make_printable(message);
	reading->say(message);
}

void config_mistake(struct reading *reading, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(reading, reading->line, format, args);
	va_end(args);
}

static void __attribute__((format(printf, 2, 3)))
unreadable(struct reading *reading, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(reading, 0, format, args);
	va_end(args);
}

static const char *remedy_of(int error)
{
	switch (error) {
	case ENOENT:
		return "write it, or name another";
	case EACCES:
		return "read it as root, or let others read it";
	case EISDIR:
		return "name a file in it";
	case ENOTDIR:
		return "a directory must be there";
	default:
		return "put a file there that can be read";
	}
}

static void unreadable_by(struct reading *reading, int error)
{
	unreadable(reading, "%s: %s", strerror(error), remedy_of(error));
}

/* ---- sections ---- */

/* The kernel's rule, and what the name's own tools cannot write. */
static bool is_interface_name(const char *name)
{
	return name[0] && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strpbrk(name, "/:% \t*?[");
}

/* In each network namespace: an interface, and two directories of sysctl(8). */
static bool is_taken_name(const char *name)
{
	return strcmp(name, "lo") == 0 || strcmp(name, "all") == 0 ||
	       strcmp(name, "default") == 0;
}

static void begin_device(struct reading *reading, const char *name)
{
	struct config *config = reading->config;
	struct dev_declaration *devices, *device;

	if (!is_interface_name(name)) {
		config_mistake(reading,
			       "[Device %s]: no name of an interface: at most "
			       "15 characters, without blanks and /:%%*?[",
			       name);
		return;
	}
	if (is_taken_name(name)) {
		config_mistake(reading,
			       "[Device %s]: the kernel has that name for "
			       "itself: give the device another one",
			       name);
		return;
	}
	devices = reallocarray(config->devices, config->n_devices + 1,
			       sizeof(*devices));
	reading->no_memory |= !devices;
	if (!devices)
		return;
	config->devices = devices;
	device = &devices[config->n_devices];
	*device = (struct dev_declaration){
		.line = reading->line,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
		.queues = 1,
		.offloads = ~0u,
		.file = strdup(reading->path),
	};
	strcpy(device->name, name);
	reading->no_memory |= !device->file;
	config->n_devices++;
	reading->device = device;
	reading->section = SECTION_DEVICE;
}

static void begin_policy(struct reading *reading, const char *name)
{
	struct policy_set *set = reading->config->policy;
	struct policy_rule *rule;

	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->rules[i].name, name) != 0)
			continue;
		config_mistake(reading,
			       "[Policy %s] is there already, at %s:%u: give "
			       "this one another name",
			       name, set->rules[i].file, set->rules[i].line);
		return;
	}
	rule = policy_set_add(set);
	reading->no_memory |= !rule;
	if (!rule)
		return;
	rule->name = strdup(name);
	rule->file = strdup(reading->path);
	rule->line = reading->line;
	reading->no_memory |= !rule->name || !rule->file;
	reading->rule = rule;
	reading->section = SECTION_POLICY;
}

/* The name behind the word, or NULL if that is not its first one. */
static const char *section_name(struct reading *reading, const char *word)
{
	const char *name = reading->header + strlen(word);

	if (strncmp(reading->header, word, strlen(word)) != 0 ||
	    (*name && *name != ' '))
		return NULL;
	while (*name == ' ')
		name++;
	if (*name)
		return name;
	config_mistake(reading, "[%s]: the name is missing, as in [%s vpn0]",
		       word, word);
	return "";
}

static void begin_section(struct reading *reading)
{
	const char *name;

	reading->section = SECTION_NONE;
	reading->section_line = reading->line;
	reading->mtu = 0;
	reading->allow = reading->planes = reading->offloads = 0;
	reading->has_ipv6 = reading->has_up = reading->up = false;
	reading->configure = false;
	if (reading->no_memory)
		return;
	if (strcmp(reading->header, "Daemon") == 0) {
		reading->section = SECTION_DAEMON;
		return;
	}
	name = section_name(reading, "Device");
	if (name) {
		if (*name)
			begin_device(reading, name);
		return;
	}
	name = section_name(reading, "Policy");
	if (!name)
		config_mistake(reading,
			       "section [%s]: sections are [Daemon], [Device "
			       "NAME] and [Policy NAME]",
			       reading->header);
	else if (*name)
		begin_policy(reading, name);
}

/* What comes next belongs to no section, and that is not told again. */
static void skip_section(struct reading *reading)
{
	reading->section = SECTION_NONE;
	reading->section_line = reading->line;
}

/* inih tells of a section only with its first key. */
static void look_for_section(struct reading *reading, const char *text)
{
	const char *end = strchr(text, ']');
	size_t len = end ? (size_t)(end - text - 1) : 0;

	if (text[0] != '[' || !end)
		return;
	config_end_section(reading);
	/* inih does not look at it. */
	end += 1 + strspn(end + 1, BLANKS);
	if (*end && *end != ';' && *end != '#')
		config_mistake(reading, "there is more behind the section's ]");
	if (len >= sizeof(reading->header)) {
		config_mistake(reading,
			       "the section's name is too long: at most %zu "
			       "characters",
			       sizeof(reading->header) - 1);
		skip_section(reading);
		return;
	}
	memcpy(reading->header, text + 1, len);
	reading->header[len] = '\0';
	begin_section(reading);
}

/* ---- lines ---- */

/* As inih does: not in a comment behind it. */
static bool has_one_of(const char *text, const char *characters)
{
	bool blank = false;

	for (; *text && !(blank && *text == ';'); text++) {
		if (strchr(characters, *text))
			return true;
		blank = strchr(BLANKS, *text);
	}
	return false;
}

/* inih tells of the first one only, and at the end. */
static bool is_broken(struct reading *reading, const char *text)
{
	const int len = (int)strcspn(text, "\r\n");

	if (!len || text[0] == '#' || text[0] == ';')
		return false;
	if (text[0] == '[' && !has_one_of(text, "]")) {
		config_end_section(reading);
		skip_section(reading);
		config_mistake(reading, "%.*s: the section's name lacks its ]",
			       len, text);
		return true;
	}
	if (text[0] != '[' && !has_one_of(text, "=:")) {
		config_mistake(reading,
			       "%.*s: neither a [section] nor a Key=value; a "
			       "comment begins with #",
			       len, text);
		return true;
	}
	return false;
}

static int on_key(void *arg, const char *section, const char *name,
		  const char *value)
{
	struct reading *reading = arg;

	if (reading->section != SECTION_NONE)
		config_set_key(reading, name, value);
	else if (!reading->section_line)
		config_mistake(reading,
			       "%s= belongs to no section: write [Daemon], "
			       "[Device NAME] or [Policy NAME] before it",
			       name);
	return 1;
}

/* As fgets(); a NUL does not end what it has read. */
static bool get_line(char *buf, int size, FILE *file, size_t *ret_len)
{
	memset(buf, '\n', (size_t)size);
	if (!fgets(buf, size, file))
		return false;
	*ret_len = (size_t)((char *)memrchr(buf, '\0', (size_t)size) - buf);
	return true;
}

/*
 * To inih a line that begins with a blank is more of the value before it, and
 * so would be a key that is indented.
 */
static void strip_front(char *line, bool first)
{
	const char *begin = line;

	if (first && strncmp(begin, BYTE_ORDER_MARK, 3) == 0)
		begin += 3;
	begin += strspn(begin, BLANKS);
	memmove(line, begin, strlen(begin) + 1);
}

/* inih does not tell its callback where it is. */
static char *read_line(char *buf, int size, void *arg)
{
	struct reading *reading = arg;
	bool rest = reading->cut, nul;
	size_t len;

	if (reading->bytes > MAX_BYTES ||
	    !get_line(buf, size, reading->file, &len))
		return NULL;
	reading->bytes += len;
	nul = strlen(buf) != len;
	reading->cut = buf[len - 1] != '\n' && !feof(reading->file);
	if (!rest)
		reading->line++;
	if (nul && !rest)
		config_mistake(reading,
			       "there is a NUL character: this is no text");
	else if (reading->cut && !rest)
		config_mistake(reading,
			       "the line is longer than %d characters: write "
			       "the key several times",
			       size - 2);
	if (rest || nul || reading->cut) {
		/* A comment, to inih. */
		strcpy(buf, "#");
		return buf;
	}
	strip_front(buf, reading->line == 1);
	if (is_broken(reading, buf))
		strcpy(buf, "#");
	else
		look_for_section(reading, buf);
	return buf;
}

static void too_large(struct reading *reading)
{
	unreadable(reading,
		   "it is larger than %d MiB: this is no configuration",
		   MAX_BYTES >> 20);
}

/* As good as an empty file, and called so by who wants none. */
static bool is_dev_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/*
 * Anything but a file may have no end, or wait for somebody at its opening, and
 * a reload with it.
 */
static FILE *open_file(struct reading *reading, const char *path, bool may_lack)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st = {0};
	FILE *file;

	if (fd < 0 && errno == ENOENT && may_lack)
		return NULL;
	if (fd < 0 || fstat(fd, &st) < 0) {
		/* A socket's is ENXIO. */
		if (errno == ENXIO)
			unreadable(reading, NOT_REGULAR);
		else
			unreadable_by(reading, errno);
	} else if (S_ISDIR(st.st_mode)) {
		unreadable_by(reading, EISDIR);
	} else if (!S_ISREG(st.st_mode) && !is_dev_null(&st)) {
		unreadable(reading, NOT_REGULAR);
	} else if (st.st_size > MAX_BYTES) {
		too_large(reading);
	} else {
		file = fdopen(fd, "r");
		reading->no_memory |= !file;
		if (file)
			return file;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* Whether it was read to its end. */
static bool has_ended(struct reading *reading)
{
	if (ferror(reading->file))
		unreadable_by(reading, errno);
	else if (reading->bytes > MAX_BYTES)
		too_large(reading);
	else
		return true;
	return false;
}

static void read_file(struct reading *reading, const char *path, bool may_lack)
{
	int line;

	reading->path = path;
	reading->line = reading->section_line = 0;
	reading->section = SECTION_NONE;
	reading->cut = false;
	reading->bytes = 0;
	reading->file = open_file(reading, path, may_lack);
	if (!reading->file)
		return;
	errno = 0;
	line = ini_parse_stream(read_line, reading, on_key, reading);
	if (has_ended(reading)) {
		config_end_section(reading);
		/* None that is known here. */
		if (line > 0) {
			reading->line = (unsigned int)line;
			config_mistake(reading, "inih cannot read this line");
		}
	}
	fclose(reading->file);
	reading->no_memory |= line == -2;
}

/* ---- files ---- */

static int is_fragment(const struct dirent *entry)
{
	return fnmatch("*.conf", entry->d_name, FNM_PERIOD) == 0;
}

/* Not the locale's order: it is the same on every machine. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_fragments(struct reading *reading, const char *path)
{
	char dir[PATH_MAX], file[PATH_MAX + 256];
	struct dirent **entries;
	int n;

	reading->path = dir;
	if (snprintf(dir, sizeof(dir), "%s.d", path) >= (int)sizeof(dir))
		return;
	n = scandir(dir, &entries, is_fragment, by_name);
	if (n < 0) {
		if (errno != ENOENT)
			unreadable_by(reading, errno);
		return;
	}
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, entries[i]->d_name);
		read_file(reading, file, false);
		free(entries[i]);
	}
	free(entries);
}

static uint64_t own_network_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}

int config_load(const char *path, bool must_exist,
		void (*say)(const char *message), struct config **ret_config)
{
	struct config *config = calloc(1, sizeof(*config));
	struct reading reading = {.config = config, .say = say};

	if (!config)
		return -ENOMEM;
	strcpy(config->mount, DEFAULT_MOUNT);
	config->log_level = LOG_LEVEL_NOTICE;
	if (policy_set_new(own_network_namespace(), &config->policy) < 0) {
		config_free(config);
		return -ENOMEM;
	}
	read_file(&reading, path, !must_exist);
	/* Of a FILE that is not one, no fragments are looked for. */
	if (!reading.failed || reading.line > 0)
		read_fragments(&reading, path);
	if (subuid_read(DEFAULT_SUBUID, config->policy) < 0)
		reading.no_memory = true;
	if (reading.failed || reading.no_memory) {
		config_free(config);
		return reading.failed ? -EINVAL : -ENOMEM;
	}
	*ret_config = config;
	return 0;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_devices; i++) {
		struct dev_declaration *device = &config->devices[i];

		free(device->file);
		free(device->ns_path);
		free(device->setup.steps);
	}
	free(config->devices);
	policy_set_unref(config->policy);
	free(config);
}
