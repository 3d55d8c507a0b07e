/* SPDX-License-Identifier: MIT */
/*
 * describe.h - what dev/ reports, as JSON. Each key is in tund-control(7); none
 * is ever given another meaning.
 */
#ifndef TUND_CTL_DESCRIBE_H
#define TUND_CTL_DESCRIBE_H

#include <jansson.h>

#include "dev/event.h"
#include "dev/report.h"

/* A line of a list; all that can be said; the counters. */
json_t *ctl_describe_device(const struct dev_report *report);
json_t *ctl_describe_device_fully(const struct dev_report *report);
json_t *ctl_describe_stats(const struct dev_report *report);

json_t *ctl_describe_file(const struct dev_file_report *report);
json_t *ctl_describe_event(const struct dev_event *event);

/* The words for numbers. */
const char *ctl_drop_word(enum tund_drop reason); /* NULL: there is none */
/* Whether it was lost in a queue; before, none had been chosen for it. */
bool ctl_drop_is_of_queue(enum tund_drop reason);

const char *ctl_plane_word(enum tund_plane plane);

#endif
