/* SPDX-License-Identifier: MIT */
/* text.c - which bytes may be shown as they are. */
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static bool is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x00, 0x1f},	  {0x7f, 0x9f},	    {0x61c, 0x61c},
		{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/*
 * The length of the character of UTF-8 that begins at `bytes`; 0 for what is
 * none, and at the end. A control would work a terminal, or turn the order in
 * which text is shown.
 */
static size_t character(const char *bytes, bool *ret_control)
{
	/* What is longer than it needs to be is none. */
	static const uint32_t least[] = {0, 0x01, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)bytes[0];
	size_t n = first < 0x80	  ? 1
		   : first < 0xc0 ? 0
		   : first < 0xe0 ? 2
		   : first < 0xf0 ? 3
		   : first < 0xf8 ? 4
				  : 0;
	uint32_t c = n == 1 ? first : first & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	}
	if (n == 0 || c < least[n] || (c >= 0xd800 && c < 0xe000) ||
	    c > 0x10ffff)
		return 0;
	*ret_control = is_control(c);
	return n;
}

void text_show(const char *bytes, char *ret_text, size_t size)
{
	size_t at = 0;

	while (*bytes) {
		bool control = false;
		size_t n = character(bytes, &control);
		bool as_it_is = n > 0 && !control;

		n = n ? n : 1;
		if (at + (as_it_is ? n : 4 * n) >= size)
			break;
		if (as_it_is)
			memcpy(ret_text + at, bytes, n);
		for (size_t i = 0; !as_it_is && i < n; i++)
			sprintf(ret_text + at + 4 * i, "\\x%02x",
				(unsigned char)bytes[i]);
		at += as_it_is ? n : 4 * n;
		bytes += n;
	}
	ret_text[at] = '\0';
}
