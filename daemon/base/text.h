/* SPDX-License-Identifier: MIT */
/*
 * text.h - bytes that anybody may have chosen, which people are to read, mostly
 * on a terminal. It has no opinion about what a name is.
 */
#ifndef TUND_BASE_TEXT_H
#define TUND_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The length of the character of UTF-8 that begins at `bytes`; 0 for what is
 * none, and at the end. A control would work a terminal, or turn the order in
 * which text is shown.
 */
size_t text_character(const char *bytes, bool *ret_control);

/*
 * Copies as much as there is room for, and ends it; \xHH takes the place of
 * each byte of a control, and of what is not UTF-8.
 */
void text_show(const char *bytes, char *ret_text, size_t size);

#endif
