/* SPDX-License-Identifier: MIT */
/* packet.c - packets for the tests of dev/, with a number in each. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "fake.h"

struct pkt *fake_packet(uint32_t number, size_t len, uint16_t proto)
{
	struct pkt *pkt = pkt_new(len);

	if (!pkt)
		abort();
	for (size_t i = 0; i < len; i++)
		pkt->data[i] = (uint8_t)(number + i);
	if (len >= sizeof(number))
		memcpy(pkt->data, &number, sizeof(number));
	pkt->proto = proto;
	return pkt;
}

uint32_t fake_number(const void *data)
{
	uint32_t number;

	memcpy(&number, data, sizeof(number));
	return number;
}

void fake_input(struct host_link *link, uint32_t number, size_t len)
{
	struct pkt *pkt = fake_packet(number, len, 0);

	device_input(link->owner, &pkt, 1);
}

/* ---- flows ---- */

#define UDP_NUMBER 28 /* where it is, after 20 and 8 bytes of headers */

void fake_udp(uint8_t ret_data[FAKE_UDP_LEN], unsigned int flow, bool to_host,
	      uint32_t number)
{
	static const uint8_t ends[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
	const uint16_t ports[2] = {htons(53), htons((uint16_t)(1024 + flow))};
	int from = to_host ? 0 : 1;

	memset(ret_data, 0, FAKE_UDP_LEN);
	ret_data[0] = 0x45;
	ret_data[3] = FAKE_UDP_LEN;
	ret_data[8] = 64;
	ret_data[9] = IPPROTO_UDP;
	memcpy(ret_data + 12, ends[from], 4);
	memcpy(ret_data + 16, ends[!from], 4);
	memcpy(ret_data + 20, &ports[from], 2);
	memcpy(ret_data + 22, &ports[!from], 2);
	memcpy(ret_data + UDP_NUMBER, &number, sizeof(number));
}

uint32_t fake_udp_number(const void *data)
{
	return fake_number((const uint8_t *)data + UDP_NUMBER);
}

struct pkt *fake_udp_packet(unsigned int flow, uint32_t number)
{
	struct pkt *pkt = fake_packet(0, FAKE_UDP_LEN, htons(ETH_P_IP));

	fake_udp(pkt->data, flow, false, number);
	return pkt;
}

void fake_input_udp(struct host_link *link, unsigned int flow, uint32_t number)
{
	struct pkt *pkt = fake_udp_packet(flow, number);

	device_input(link->owner, &pkt, 1);
}
