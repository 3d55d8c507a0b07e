/* SPDX-License-Identifier: MIT */
/* table.c - holds all cells until it knows how wide they are. */
#include "table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_WIDTH 15

static void must(const void *memory)
{
	if (memory)
		return;
	fputs("tundctl: no memory is left\n", stderr);
	exit(1);
}

/* The length of a character of UTF-8, or 0 if it is none. */
static size_t decode(const char *bytes, uint32_t *ret_character)
{
	static const uint32_t least[] = {0, 0x01, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)bytes[0];
	size_t n = first < 0x80	  ? 1
		   : first < 0xc0 ? 0
		   : first < 0xe0 ? 2
		   : first < 0xf0 ? 3
		   : first < 0xf8 ? 4
				  : 0;
	uint32_t c = n == 1 ? first : first & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	}
	*ret_character = c;
	return n > 0 && c >= least[n] ? n : 0;
}

/* Controls, and what turns the direction of text or begins a line. */
static bool is_harmless(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0x61c &&
	       c != 0x200e && c != 0x200f && (c < 0x2028 || c > 0x202e) &&
	       (c < 0x2066 || c > 0x2069);
}

void make_harmless(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		uint32_t c = 0;
		size_t n = decode(p, &c);

		if (n > 0 && is_harmless(c)) {
			memmove(to, p, n);
			to += n;
		} else {
			*to++ = '?';
		}
		p += n ? n : 1;
	}
	*to = '\0';
}

/* Characters, and not bytes. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

const char *colour(enum colour which)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[0m",
		[BOLD] = "\033[1m",
		[GREEN] = "\033[32m",
		[RED] = "\033[31m",
	};
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || (no && *no) || !term ||
	    strcmp(term, "dumb") == 0)
		return "";
	return codes[which];
}

struct table *table_new(const char *const *titles, unsigned int n_columns)
{
	struct table *table = calloc(1, sizeof(*table));

	must(table);
	table->titles = titles;
	table->n_columns = n_columns;
	return table;
}

__attribute__((format(printf, 1, 0))) static char *
format_cell(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	must(text);
	make_harmless(text);
	return text;
}

void table_add(struct table *table, const char *format, ...)
{
	va_list args;

	if (table->n_cells == table->size) {
		table->size = table->size ? 2 * table->size : 64;
		table->cells = reallocarray(table->cells, table->size,
					    sizeof(*table->cells));
		must(table->cells);
	}
	va_start(args, format);
	table->cells[table->n_cells++] = format_cell(format, args);
	va_end(args);
}

static void print_cell(const char *text, int column_width, bool right,
		       bool last)
{
	int pad = column_width - width(text);

	if (right)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

int table_print(struct table *table)
{
	unsigned int n = table->n_columns;
	int widths[TABLE_COLUMNS];

	for (unsigned int c = 0; c < n; c++)
		widths[c] =
			width(table->titles[c] + (table->titles[c][0] == '>'));
	for (size_t i = 0; i < table->n_cells; i++)
		if (width(table->cells[i]) > widths[i % n])
			widths[i % n] = width(table->cells[i]);
	fputs(colour(BOLD), stdout);
	for (unsigned int c = 0; c < n; c++) {
		bool right = table->titles[c][0] == '>';

		if (c == n - 1)
			printf("%s%s\n", table->titles[c] + right,
			       colour(PLAIN));
		else
			print_cell(table->titles[c] + right, widths[c], right,
				   false);
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		print_cell(table->cells[i], widths[i % n],
			   table->titles[i % n][0] == '>', i % n == n - 1);
		free(table->cells[i]);
	}
	free(table->cells);
	free(table);
	return fflush(stdout) == 0 ? 0 : 1;
}

void print_line(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_cell(format, args);
	va_end(args);
	puts(text);
	free(text);
}

void print_pair(const char *key, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_cell(format, args);
	va_end(args);
	printf("%*s: %s\n", KEY_WIDTH, key, text);
	free(text);
}

const char *word_of(const json_t *object, const char *key)
{
	static char buffers[4][24];
	static unsigned int next;
	const json_t *value = json_object_get(object, key);
	char *number;

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (!json_is_integer(value))
		return "-";
	number = buffers[next++ % 4];
	snprintf(number, sizeof(buffers[0]), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(value));
	return number;
}

long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}
