/* SPDX-License-Identifier: MIT */
/*
 * capture_filter.c - libpcap compiles for packets; what comes through the
 * socket has a struct tund_capture before each, and so every offset is moved.
 */
#include "capture_filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tundctl.h"
#include <tund/capture.h>

#define HEAD   ((uint32_t)sizeof(struct tund_capture))
#define LENGTH ((uint32_t)offsetof(struct tund_capture, len))

/* Returns false for what cannot be moved, which libpcap does not make. */
static bool move(struct sock_filter *insn)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_LEN:
		insn->code = BPF_LD | BPF_W | BPF_ABS;
		insn->k = LENGTH;
		return true;
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
		/* Beyond these are the kernel's own offsets. */
		if (insn->k > INT32_MAX - HEAD)
			return false;
		insn->k += HEAD;
		return true;
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
		insn->k += HEAD;
		return true;
	case BPF_RET | BPF_K:
		if (insn->k > 0)
			insn->k += HEAD;
		return true;
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_RET | BPF_A:
		return false;
	default:
		return true;
	}
}

static int take(const struct bpf_program *compiled,
		struct sock_fprog *ret_program)
{
	struct sock_filter *insns;

	if (compiled->bf_len > BPF_MAXINSNS) {
		complain("the filter is too long, %u instructions, of which "
			 "the kernel takes %d: use a shorter expression, or "
			 "filter what was captured with \"tcpdump -r FILE "
			 "EXPRESSION\"",
			 compiled->bf_len, BPF_MAXINSNS);
		return -1;
	}
	insns = calloc(compiled->bf_len + 1, sizeof(*insns));
	if (!insns) {
		complain("no memory is left");
		return -1;
	}
	for (unsigned int i = 0; i < compiled->bf_len; i++) {
		const struct bpf_insn *from = &compiled->bf_insns[i];

		insns[i] = (struct sock_filter){from->code, from->jt, from->jf,
						from->k};
		if (move(&insns[i]))
			continue;
		complain("this expression cannot be used here: filter what "
			 "was captured with \"tcpdump -r FILE EXPRESSION\"");
		free(insns);
		return -1;
	}
	ret_program->filter = insns;
	ret_program->len = (unsigned short)compiled->bf_len;
	return 0;
}

int capture_filter_compile(const char *expression, unsigned int link_type,
			   uint32_t snaplen, struct sock_fprog *ret_program)
{
	/* libpcap's numbers are a file's, but for this one. */
	int dlt = link_type == 101 ? DLT_RAW : (int)link_type;
	pcap_t *pcap = pcap_open_dead(dlt, (int)snaplen);
	struct bpf_program compiled;
	int r;

	if (!pcap) {
		complain("no memory is left");
		return -1;
	}
	if (pcap_compile(pcap, &compiled, expression ? expression : "", 1,
			 PCAP_NETMASK_UNKNOWN) < 0) {
		complain("the filter \"%s\": %s; see pcap-filter(7)",
			 expression, pcap_geterr(pcap));
		pcap_close(pcap);
		return -1;
	}
	r = take(&compiled, ret_program);
	pcap_freecode(&compiled);
	pcap_close(pcap);
	return r;
}

static int attach(int fd, const struct sock_fprog *program)
{
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program,
		       sizeof(*program)) == 0)
		return 0;
	complain("the kernel does not take the filter: %s; use a shorter "
		 "expression",
		 strerror(errno));
	return -1;
}

int capture_filter_attach(int fd, const struct sock_fprog *program)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog none = {.len = 1, .filter = &nothing};
	char byte;

	/* What has come before the filter was not filtered. */
	if (attach(fd, &none) < 0)
		return -1;
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		;
	return attach(fd, program);
}
