/* SPDX-License-Identifier: MIT */
/*
 * control.h - the control socket of this daemon: where it is, and who serves
 * it. What is said there is ctl/'s matter.
 */
#ifndef TUND_CONTROL_H
#define TUND_CONTROL_H

struct control;
struct dev_table;
struct loop;
struct options;

/*
 * Before privileges are given up. A place that was asked for must be had; that
 * nobody named may be taken: then there is no control socket, and a message
 * says why. Negative errno on failure.
 */
int control_open(const struct options *options, struct control **ret_control);

/* Before there are devices. */
int control_start(struct control *control, const struct options *options,
		  struct dev_table *table, struct loop *loop);

/* Before dev_table_free(), and after it. Both take NULL. */
void control_stop(struct control *control);
void control_close(struct control *control);

#endif
