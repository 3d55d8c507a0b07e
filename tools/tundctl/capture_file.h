/* SPDX-License-Identifier: MIT */
/*
 * capture_file.h - where a capture goes: a pipe, a file, or a ring of files,
 * each of which is whole by itself.
 */
#ifndef TUNDCTL_CAPTURE_FILE_H
#define TUNDCTL_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture_order.h"
#include "pcapng.h"

/* One for what comes through the daemon, one for what goes past it. */
enum { CAPTURE_PLANES = 2 };

struct capture_file {
	const char *path;  /* NULL: standard output */
	uint64_t max_size; /* bytes, after which the next begins; 0: none */
	unsigned int max_files; /* that are kept; 0: all */
	/* What is written of the interface; by plane, file and direct. */
	struct pcapng_interface interfaces[CAPTURE_PLANES];

	/* The rest is its own. */
	struct pcapng out;
	bool broken; /* nobody reads the pipe any more */
	unsigned int number;
	char **names; /* of the ring's, or of the present one alone */
	unsigned int n_names;
	int plane; /* of what came last */
	/* In the present file. */
	int ids[CAPTURE_PLANES]; /* -1: it is not described there yet */
	int n_ids;
	uint64_t delivered[CAPTURE_PLANES];
	uint64_t start, lost;
};

/* What the daemon has counted by now. */
struct capture_counts {
	bool known;
	uint64_t received, dropped, lost;
};

/* Each returns 0, or -1 after a complaint. */
int capture_file_open(struct capture_file *file, int plane);
int capture_file_add(struct capture_file *file, const struct captured *packet);
int capture_file_flush(struct capture_file *file);
int capture_file_close(struct capture_file *file,
		       const struct capture_counts *counts);

#endif
