/* SPDX-License-Identifier: MIT */
/*
 * table.h - lines for people: columns that are aligned, and colour where there
 * is a terminal that shows it. What others have chosen is made harmless.
 */
#ifndef TUNDCTL_TABLE_H
#define TUNDCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>

/*
 * What others have written must not work the terminal: ? takes the place of
 * each control in UTF-8, and of each byte of what is not UTF-8.
 */
void make_harmless(char *text);

enum { TABLE_COLUMNS = 12 };

struct table {
	unsigned int n_columns;
	const char *const *titles; /* one that begins with > is to the right */
	size_t n_cells, size;
	char **cells;
};

struct table *table_new(const char *const *titles, unsigned int n_columns);

/* The next cell, from left to right. */
__attribute__((format(printf, 2, 3))) void table_add(struct table *table,
						     const char *format, ...);

/* Prints and frees it. Returns the exit status. */
int table_print(struct table *table);

/* A line of text. */
__attribute__((format(printf, 1, 2))) void print_line(const char *format, ...);

/* A line of "   Key: value" in a list of these. */
__attribute__((format(printf, 2, 3))) void print_pair(const char *key,
						      const char *format, ...);

enum colour {
	PLAIN,
	BOLD,
	GREEN,
	RED,
};

/* What switches a colour on, or off again (PLAIN); "" without colours. */
const char *colour(enum colour which);

/* What a daemon's object says under a key, for people; "-" for null. */
const char *word_of(const json_t *object, const char *key);
long long number_of(const json_t *object, const char *key);

#endif
