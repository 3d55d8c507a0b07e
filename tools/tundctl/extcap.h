/* SPDX-License-Identifier: MIT */
/* extcap.h - tundctl under the name by which Wireshark starts it. */
#ifndef TUNDCTL_EXTCAP_H
#define TUNDCTL_EXTCAP_H

#include <stdbool.h>

/* Whether argv[0] is that name. */
bool extcap_is_called(const char *argv0);

/* Returns the exit status. */
int extcap_run(int argc, char **argv);

#endif
