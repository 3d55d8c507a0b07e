/* SPDX-License-Identifier: MIT */
/* privileges.h - the capabilities that tund needs, and no others. */
#ifndef TUND_PRIVILEGES_H
#define TUND_PRIVILEGES_H

/* Logs each one that is missing, with what it is for. */
int privileges_check(void);

/* Gives up all the others. */
int privileges_drop(void);

#endif
