/* SPDX-License-Identifier: MIT */
/* A caller of the 32-bit system calls: asks a TUN what depends on the sizes of
 * its structures, and prints numbers; without a C library, which a 64-bit
 * system need not have for it.  case-compat.c makes lines of them. */
#include <stdint.h>

#define O_RDWR	       2
#define TUNSETIFF      0x400454ca
#define TUNGETIFF      0x800454d2
#define TUNGETFEATURES 0x800454cf
#define TUNSETPERSIST  0x400454cb
#define TUNSETOFFLOAD  0x400454d0
#define TUNSETQUEUE    0x400454d9
#define TUNGETSNDBUF   0x800454d3
#define TUNSETTXFILTER 0x400454d1
/* The structure is 8 bytes here, so that the numbers differ. */
#define ATTACHFILTER32 0x400854d5
#define DETACHFILTER32 0x400854d6
#define GETFILTER32    0x800854db
#define ATTACHFILTER64 0x401054d5
#define DETACHFILTER64 0x401054d6
#define GETFILTER64    0x801054db
#define SIOCGIFHWADDR  0x8927
#define TAP_MQ	       0x0102
#define IFREQ_SIZE     32
#define PAGE	       4096

struct insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

static uint8_t pages[2 * PAGE] __attribute__((aligned(PAGE)));

static int32_t call(int32_t nr, int32_t a, int32_t b, int32_t c)
{
	int32_t ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return ret;
}

static int32_t ioctl32(int32_t fd, uint32_t cmd, const void *arg)
{
	return call(54, fd, (int32_t)cmd, (int32_t)(uintptr_t)arg);
}

/* A line: the step's name, and a number. */
static void put(const char *step, int32_t value)
{
	char line[64];
	uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
	int n = 0, digits = 0;
	char reversed[12];

	while (*step && n < 40)
		line[n++] = *step++;
	line[n++] = ' ';
	if (value < 0)
		line[n++] = '-';
	do {
		reversed[digits++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	while (digits > 0)
		line[n++] = reversed[--digits];
	line[n++] = '\n';
	call(4, 1, (int32_t)(uintptr_t)line, n);
}

static void clear(uint8_t *p, int n, uint8_t value)
{
	volatile uint8_t *v = p;

	while (n-- > 0)
		*v++ = value;
}

static void set_ifreq(uint8_t *p, const char *name, int flags)
{
	clear(p, IFREQ_SIZE, 0x5a);
	clear(p, 16, 0);
	while (*name)
		*p++ = (uint8_t)*name++;
	p = (uint8_t *)((uintptr_t)p & ~(uintptr_t)(IFREQ_SIZE - 1));
	p[16] = (uint8_t)flags;
	p[17] = (uint8_t)(flags >> 8);
}

static void queue(int32_t fd, uint8_t *edge, int flags, const char *step)
{
	edge[16] = (uint8_t)flags;
	edge[17] = (uint8_t)(flags >> 8);
	put(step, ioctl32(fd, TUNSETQUEUE, edge));
}

static void filters(int32_t fd)
{
	static struct insn accept = {0x06, 0, 0, 100};
	uint32_t at = (uint32_t)(uintptr_t)&accept;
	/* Length and pointer as this caller has them, and as the kernel has. */
	uint32_t narrow[4] = {1, at, 0, 0};
	uint32_t wide[4] = {1, 0, at, 0};
	uint32_t got[4] = {7, 7, 7, 7};

	put("attachfilter", ioctl32(fd, ATTACHFILTER32, narrow));
	put("getfilter", ioctl32(fd, GETFILTER32, got));
	put("attachfilter-64-narrow", ioctl32(fd, ATTACHFILTER64, narrow));
	put("attachfilter-64", ioctl32(fd, ATTACHFILTER64, wide));
	put("getfilter-64", ioctl32(fd, GETFILTER64, got));
	put("getfilter-64-length", (int32_t)(got[0] & 0xffff));
	put("getfilter-64-same", got[2] == at);
	put("attachfilter-null", ioctl32(fd, ATTACHFILTER64, 0));
	put("detachfilter", ioctl32(fd, DETACHFILTER32, 0));
	put("detachfilter-64", ioctl32(fd, DETACHFILTER64, 0));
}

/* The structure ends where memory does: 32 bytes and no more are touched. */
static void trace(const char *device)
{
	uint8_t *edge = pages + PAGE - IFREQ_SIZE;
	int32_t fd = call(5, (int32_t)(uintptr_t)device, O_RDWR, 0);
	uint32_t value = 0;

	put("open", fd < 0 ? fd : 0);
	call(125, (int32_t)(uintptr_t)(pages + PAGE), PAGE, 0);
	set_ifreq(edge, "c32", TAP_MQ);
	put("setiff-short", ioctl32(fd, TUNSETIFF, edge + 1));
	put("setiff", ioctl32(fd, TUNSETIFF, edge));
	put("setiff-name", edge[0]);
	put("setiff-rest", edge[31]);
	put("features", ioctl32(fd, TUNGETFEATURES, &value));
	put("features-tun", (int32_t)value & 3);
	clear(edge, IFREQ_SIZE, 0x5a);
	put("getiff-short", ioctl32(fd, TUNGETIFF, edge + 1));
	clear(edge, IFREQ_SIZE, 0x5a);
	put("getiff", ioctl32(fd, TUNGETIFF, edge));
	put("getiff-name", edge[0]);
	put("getiff-flags", edge[16] | edge[17] << 8);
	put("getiff-rest", edge[18] | edge[31]);
	put("hwaddr", ioctl32(fd, SIOCGIFHWADDR, edge));
	put("hwaddr-family", edge[16] | edge[17] << 8);
	put("hwaddr-unicast", edge[18] & 3);
	put("hwaddr-null", ioctl32(fd, SIOCGIFHWADDR, 0));
	put("persist", ioctl32(fd, TUNSETPERSIST, 0));
	put("offload", ioctl32(fd, TUNSETOFFLOAD, (void *)1));
	put("sndbuf", ioctl32(fd, TUNGETSNDBUF, &value));
	put("sndbuf-value", (int32_t)value);
	queue(fd, edge, 0x0400, "detach");
	queue(fd, edge, 0x0200, "attach");
	put("setqueue-short", ioctl32(fd, TUNSETQUEUE, edge + 1));
	value = 0;
	put("txfilter", ioctl32(fd, TUNSETTXFILTER, &value));
	filters(fd);
}

__attribute__((used)) static void start(const int32_t *stack)
{
	if (stack[0] > 1)
		trace((const char *)(uintptr_t)(uint32_t)stack[2]);
	call(1, 0, 0, 0);
}

/* The first word on the stack is the number of arguments. */
__asm__(".globl _start\n"
	"_start:\n"
	"	movl %esp, %eax\n"
	"	andl $-16, %esp\n"
	"	subl $12, %esp\n"
	"	pushl %eax\n"
	"	call start\n");
