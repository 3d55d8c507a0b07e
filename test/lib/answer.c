/* SPDX-License-Identifier: MIT */
/*
 * answer.c - the command `answer`: whoever pings any IPv4 address behind the
 * device has a reply. It knows a plain read and a plain write, no more.
 */
#include "helper.h"

#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

/* Makes a request its own reply. */
static bool reply(uint8_t *packet, size_t size)
{
	size_t header = (size_t)(packet[0] & 15) * 4;
	uint8_t *icmp = packet + header;
	uint8_t asked[4];
	unsigned int sum;

	if (packet[0] >> 4 != 4 || size < header + 8 ||
	    packet[9] != IPPROTO_ICMP || icmp[0] != ICMP_ECHO)
		return false;
	memcpy(asked, packet + 16, 4);
	memcpy(packet + 16, packet + 12, 4);
	memcpy(packet + 12, asked, 4);
	icmp[0] = ICMP_ECHOREPLY;
	/* The type has become less by 8. */
	sum = (unsigned int)(icmp[2] << 8 | icmp[3]) + 0x800;
	sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	return true;
}

int command_answer(void)
{
	static uint8_t packet[BUFFER_SIZE];
	char name[16];
	int fd = device_of_options(name);

	count_set(C_READY, 1);
	for (;;) {
		ssize_t n = read(fd, packet, sizeof(packet));

		if (n <= 0)
			die("cannot read");
		if (reply(packet, (size_t)n))
			count_tx(write(fd, packet, (size_t)n));
	}
}
