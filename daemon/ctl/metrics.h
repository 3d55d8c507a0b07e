/* SPDX-License-Identifier: MIT */
/* metrics.h - all counters in the text format of OpenMetrics 1.0. */
#ifndef TUND_CTL_METRICS_H
#define TUND_CTL_METRICS_H

struct dev_table;

/* The caller frees it; NULL when there is no memory. Slow. */
char *ctl_metrics(struct dev_table *table);

#endif
