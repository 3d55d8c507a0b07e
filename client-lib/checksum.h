/* SPDX-License-Identifier: MIT */
/*
 * client-lib/checksum.h - the Internet checksum of RFC 1071. A sum is in the
 * host's byte order over words as they lie in memory, so that it is stored as
 * it is.
 */
#ifndef TUNCLIENT_CHECKSUM_H
#define TUNCLIENT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds bytes, of which those before were even in number. */
static inline uint64_t checksum_add(uint64_t sum, const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	for (; size >= 8; p += 8, size -= 8) {
		memcpy(&eight, p, 8);
		sum += eight;
		sum += sum < eight; /* the carry */
	}
	if (size >= 4) {
		memcpy(&four, p, 4);
		sum += four;
		sum += sum < four;
		p += 4;
		size -= 4;
	}
	for (; size > 0; p += 2, size -= 2) {
		two = 0;
		memcpy(&two, p, size < 2 ? 1 : 2);
		sum += two;
		sum += sum < two;
		if (size < 2)
			break;
	}
	return sum;
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline void checksum_put(void *field, unsigned int sum)
{
	uint16_t value = (uint16_t)sum;

	memcpy(field, &value, sizeof(value));
}

#endif
