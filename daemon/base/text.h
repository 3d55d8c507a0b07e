/* SPDX-License-Identifier: MIT */
/*
 * text.h - bytes that anybody may have chosen, which people are to read, mostly
 * on a terminal. It has no opinion about what a name is.
 */
#ifndef TUND_BASE_TEXT_H
#define TUND_BASE_TEXT_H

#include <stddef.h>

/*
 * Copies as much as there is room for, and ends it; \xHH takes the place of
 * each byte of a control, and of what is not UTF-8.
 */
void text_show(const char *bytes, char *ret_text, size_t size);

#endif
