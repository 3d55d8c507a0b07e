/* SPDX-License-Identifier: MIT */
/*
 * metrics_text.h - families of OpenMetrics for things of one kind, whose
 * numbers are given. Private to metrics.c.
 */
#ifndef TUND_CTL_METRICS_TEXT_H
#define TUND_CTL_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dev/report.h"

enum metrics_number {
	METRICS_UP,
	METRICS_QUEUED,
	METRICS_QUEUED_MAX,
	METRICS_RX_PACKETS,
	METRICS_RX_BYTES,
	METRICS_TX_PACKETS,
	METRICS_TX_BYTES,
	N_METRICS_NUMBERS,
};

/* What is told of a device and of a queue alike. */
struct metrics_series {
	char *labels;
	bool known; /* what goes past the daemon is not, and is not 0 */
	uint64_t numbers[N_METRICS_NUMBERS];
	const uint64_t *drops;
	const struct dev_waits_report *waits;
};

/* The kind: the words for it. */
struct metrics_kind {
	const char *name;
	struct {
		const char *name; /* NULL: it has none */
		const char *type, *help;
	} numbers[N_METRICS_NUMBERS];
	const char *drops_help, *waits_help;
	bool is_queue;
};

/* Of a family; the name is in two parts, of which one may be empty. */
void metrics_family(FILE *to, const char *kind, const char *name,
		    const char *type, const char *help);

/* A label with its value, somebody else's bytes: made UTF-8 and escaped. */
void metrics_label(FILE *to, const char *key, const char *bytes);

/* Families; `n` series each. */
void metrics_write_numbers(FILE *to, const struct metrics_kind *kind,
			   const struct metrics_series *series, size_t n);
void metrics_write_drops(FILE *to, const struct metrics_kind *kind,
			 const struct metrics_series *series, size_t n);
void metrics_write_waits(FILE *to, const struct metrics_kind *kind,
			 const struct metrics_series *series, size_t n);

#endif
