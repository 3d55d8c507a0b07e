/* SPDX-License-Identifier: MIT */
/* metrics_text.c - a family is its head, and then one line or more for each. */
#include "ctl/metrics_text.h"

#include <inttypes.h>

#include "ctl/describe.h"
#include "ctl/request.h"

void metrics_family(FILE *to, const char *kind, const char *name,
		    const char *type, const char *help)
{
	fprintf(to, "# TYPE %s%s %s\n# HELP %s%s %s\n", kind, name, type, kind,
		name, help);
}

void metrics_label(FILE *to, const char *key, const char *bytes)
{
	json_t *text = ctl_text(bytes);
	const char *p = text ? json_string_value(text) : "";

	fprintf(to, "%s=\"", key);
	for (; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', to);
		fputc(*p, to);
	}
	fputc('"', to);
	json_decref(text);
}

void metrics_write_numbers(FILE *to, const struct metrics_kind *kind,
			   const struct metrics_series *series, size_t n)
{
	for (int w = 0; w < N_METRICS_NUMBERS; w++) {
		const char *name = kind->numbers[w].name;
		const char *type = kind->numbers[w].type;

		if (!name)
			continue;
		metrics_family(to, kind->name, name, type,
			       kind->numbers[w].help);
		for (size_t i = 0; i < n; i++)
			if (series[i].known)
				fprintf(to, "%s%s%s{%s} %" PRIu64 "\n",
					kind->name, name,
					type[0] == 'c' ? "_total" : "",
					series[i].labels, series[i].numbers[w]);
	}
}

static void write_drops_of(FILE *to, const struct metrics_kind *kind,
			   const struct metrics_series *series)
{
	for (int r = 0; r < TUND_DROP_MAX; r++) {
		const char *word = ctl_drop_word((enum tund_drop)r);

		if (word && (!kind->is_queue ||
			     ctl_drop_is_of_queue((enum tund_drop)r)))
			fprintf(to,
				"%s_dropped_packets_total{%s,reason=\"%s\"} "
				"%" PRIu64 "\n",
				kind->name, series->labels, word,
				series->drops[r]);
	}
}

void metrics_write_drops(FILE *to, const struct metrics_kind *kind,
			 const struct metrics_series *series, size_t n)
{
	metrics_family(to, kind->name, "_dropped_packets", "counter",
		       kind->drops_help);
	for (size_t i = 0; i < n; i++)
		if (series[i].known)
			write_drops_of(to, kind, &series[i]);
}

/* The bounds in seconds; the sum of whole microseconds. */
static void write_waits_of(FILE *to, const struct metrics_kind *kind,
			   const struct metrics_series *series)
{
	const struct dev_waits_report *waits = series->waits;
	uint64_t n = 0;

	for (unsigned int i = 0; i < DEV_WAIT_BUCKETS; i++) {
		n += waits->buckets[i];
		fprintf(to, "%s_wait_seconds_bucket{%s,le=\"", kind->name,
			series->labels);
		if (i < DEV_WAIT_BUCKETS - 1)
			fprintf(to, "%.9g\"} %" PRIu64 "\n",
				(double)(1u << i) / 1e6, n);
		else
			fprintf(to, "+Inf\"} %" PRIu64 "\n", n);
	}
	fprintf(to, "%s_wait_seconds_sum{%s} %" PRIu64 ".%06" PRIu64 "\n",
		kind->name, series->labels, waits->sum_us / 1000000,
		waits->sum_us % 1000000);
	fprintf(to, "%s_wait_seconds_count{%s} %" PRIu64 "\n", kind->name,
		series->labels, n);
}

void metrics_write_waits(FILE *to, const struct metrics_kind *kind,
			 const struct metrics_series *series, size_t n)
{
	metrics_family(to, kind->name, "_wait_seconds", "histogram",
		       kind->waits_help);
	for (size_t i = 0; i < n; i++)
		if (series[i].known)
			write_waits_of(to, kind, &series[i]);
}
