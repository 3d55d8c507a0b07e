/* SPDX-License-Identifier: MIT */
/*
 * nolibc.c - a client without any library, as Go programs are: attaches, makes
 * the ioctls that take a number, and prints the error number of each call.
 *
 *	tund-test-nolibc DEVICE NAME
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/if_tun.h>
#include <linux/ioctl.h>

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin");

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__i386__)
__asm__(".globl _start\n_start: mov %esp, %eax\n and $-16, %esp\n"
	" sub $12, %esp\n push %eax\n call begin");

static long call(long number, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory");
	return result;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n bl begin");

static long call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
}
#endif

/* <linux/if.h> would want libc's headers. */
struct ifreq {
	char name[16];
	short flags;
	char rest[sizeof(long) == 8 ? 22 : 14];
};

/* The largest page there is; an ifreq ends where the first of them does. */
#define PAGE 65536
static char pages[2 * PAGE] __attribute__((aligned(PAGE)));

void begin(char **stack);

static void print(const char *word, long error)
{
	char line[64], digits[12];
	unsigned long n = 0, d = 0, value = (unsigned long)(-error);

	while (word[n]) {
		line[n] = word[n];
		n++;
	}
	line[n++] = ' ';
	do
		digits[d++] = (char)('0' + value % 10);
	while (value /= 10);
	while (d > 0)
		line[n++] = digits[--d];
	line[n++] = '\n';
	call(__NR_write, 1, (long)line, (long)n, 0);
}

static void set(long fd, const char *word, unsigned int cmd, long value)
{
	long r = call(__NR_ioctl, fd, (long)cmd, value, 0);

	print(word, r < 0 ? r : 0);
}

void begin(char **stack)
{
	char **argv = stack + 1;
	struct ifreq *ifr = (struct ifreq *)(pages + PAGE) - 1;
	long fd, r;

	/* Whoever takes it for larger than it is, gets EFAULT. */
	call(__NR_munmap, (long)(pages + PAGE), PAGE, 0, 0);
	for (int i = 0; argv[2][i] && i < 15; i++)
		ifr->name[i] = argv[2][i];
	ifr->flags = IFF_TUN | IFF_NO_PI;
	fd = call(__NR_openat, AT_FDCWD, (long)argv[1], O_RDWR, 0);
	print("open", fd < 0 ? fd : 0);
	r = call(__NR_ioctl, fd, (long)TUNSETIFF, (long)ifr, 0);
	print(ifr->name, r);
	set(fd, "TUNSETNOCSUM", TUNSETNOCSUM, 1);
	set(fd, "TUNSETDEBUG", TUNSETDEBUG, 1);
	set(fd, "TUNSETOWNER", TUNSETOWNER, 0);
	set(fd, "TUNSETGROUP", TUNSETGROUP, 0);
	set(fd, "TUNSETLINK", TUNSETLINK, 1);
	set(fd, "TUNSETOFFLOAD", TUNSETOFFLOAD, 0);
	set(fd, "TUNSETPERSIST", TUNSETPERSIST, 1);
	call(__NR_exit, 0, 0, 0, 0);
}
