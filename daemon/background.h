/* SPDX-License-Identifier: MIT */
/*
 * background.h - leaving the terminal, in such a way that the command returns
 * when the device is there, with an exit status that is true.
 */
#ifndef TUND_BACKGROUND_H
#define TUND_BACKGROUND_H

#include <stdbool.h>

struct background {
	int ready_fd; /* -1 in the foreground */
};

/*
 * Before there are threads. Returns the exit status in the process that is to
 * exit, and -1 in the one that is to go on.
 */
int background_start(struct background *background, bool foreground);

/* From here on messages go to syslog, unless in the foreground. */
void background_ready(struct background *background);

#endif
