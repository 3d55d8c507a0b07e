/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - the command `hostile`: everything on a device file that a sane
 * program would not do, at random from --seed. What the calls answer does not
 * matter here; that they answer, and what lives on afterwards, does.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define FDS	      8

static uint8_t *edge;	   /* one page, unmapped memory behind it */
static uint8_t *read_only; /* one page */
static int table[FDS];

static unsigned int below(uint64_t *rng, unsigned int n)
{
	return (unsigned int)(random_next(rng) % n);
}

static void make_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only =
		mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (edge == MAP_FAILED || read_only == MAP_FAILED)
		die("mmap");
	munmap(edge + page, page);
}

/* A pointer for size bytes, good or bad. */
static void *pointer(uint64_t *rng, uint8_t *good, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	switch (below(rng, 10)) {
	case 0:
		return NULL;
	case 1:
		return (void *)1;
	case 2:
		return (void *)-1L;
	case 3:
		return (void *)0xffff888000000000UL;
	case 4:
		return read_only;
	case 5: /* ends at the end of the mapping */
		return size < page ? edge + page - size : edge;
	case 6: /* ends one byte behind it */
		return size && size <= page ? edge + page - size + 1 : edge;
	case 7:
		return edge + page;
	default:
		return good;
	}
}

static int attach(uint64_t *rng, int fd)
{
	struct ifreq ifr = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "h%u", below(rng, FDS));
	ifr.ifr_flags = (short)((below(rng, 2) ? IFF_TAP : IFF_TUN) |
				(below(rng, 2) ? IFF_NO_PI : 0));
	return ioctl(fd, TUNSETIFF, &ifr);
}

static void one_ioctl(uint64_t *rng, int fd)
{
	static const unsigned int known[] = {
		0x400454c8, 0x400454c9, 0x400454ca, 0x400454cb, 0x400454cc,
		0x400454cd, 0x400454ce, 0x800454cf, 0x400454d0, 0x400454d1,
		0x800454d2, 0x800454d3, 0x400454d4, 0x401054d5, 0x401054d6,
		0x800454d7, 0x400454d8, 0x400454d9, 0x400454da, 0x801054db,
		0x400454dc, 0x800454dd, 0x400454de, 0x800454df, 0x800454e0,
		0x800454e1, 0x400454e2, 0x000054e3, 0x8927,	0x8924,
		0x894c,	    0x8010f601, 0x80a8f602, 0x4010f603, 0x5401,
		0x4030f607, 0x8028f608, 0x541b,
	};
	static const unsigned int types[] = {'T', 0xf6, 0x89, 'f', 0};
	static const unsigned int sizes[] = {0,	 1,  2,	  4,	8,    16,
					     40, 41, 168, 4096, 16383};
	uint8_t data[16384];
	unsigned int number, size;
	void *arg;
	int result;

	for (size_t i = 0; i < sizeof(data); i += 8) {
		uint64_t word = below(rng, 4) ? random_next(rng) : 0;

		memcpy(data + i, &word, 8);
	}
	if (below(rng, 2)) {
		number = known[below(rng, LENGTH(known))];
	} else {
		size = sizes[below(rng, LENGTH(sizes))];
		number = _IOC(below(rng, 4), types[below(rng, LENGTH(types))],
			      below(rng, 256), size);
	}
	size = _IOC_SIZE(number);
	arg = pointer(rng, data, size < 40 ? 40 : size);
	if (below(rng, 8) == 0)
		arg = (void *)(unsigned long)below(rng, 70000);
	result = ioctl(fd, number, arg);
	/* The two that make a descriptor. */
	if (result > 2 && (number == SIOCGSKNS || number == 0x54e3))
		close(result);
}

static void one_write(uint64_t *rng, int fd)
{
	static __thread uint8_t data[BUFFER_SIZE];
	struct iovec iov[1024];
	int n = below(rng, 4) ? 1 + (int)below(rng, 3) : (int)below(rng, 1025);
	size_t total = below(rng, 4) ? below(rng, 100) : below(rng, 70001);

	for (int i = 0; i < 16; i++)
		data[below(rng, 64)] = (uint8_t)random_next(rng);
	if (below(rng, 2))
		data[0] = below(rng, 2) ? 0x45 : 0x60;
	for (int i = 0; i < n; i++) {
		iov[i].iov_len = total / (size_t)n;
		iov[i].iov_base = data + (size_t)i * iov[i].iov_len;
		if (below(rng, 64) == 0)
			iov[i].iov_base = pointer(rng, data, iov[i].iov_len);
	}
	if (below(rng, 2))
		count_tx(writev(fd, iov, n));
	else
		count_tx(write(fd, pointer(rng, data, total), total));
}

static void one_read(uint64_t *rng, int fd)
{
	static __thread uint8_t data[BUFFER_SIZE];
	size_t size = below(rng, 2) ? below(rng, 100) : below(rng, 70001);
	struct iovec iov[300];
	ssize_t n;

	if (below(rng, 4)) {
		n = read(fd, pointer(rng, data, size), size);
	} else {
		for (size_t i = 0; i < LENGTH(iov); i++) {
			iov[i].iov_base = pointer(rng, data + i, 7);
			iov[i].iov_len = below(rng, 8);
		}
		n = readv(fd, iov, (int)below(rng, LENGTH(iov)));
	}
	if (n >= 0)
		count(C_RX, 1);
}

/* What a file offers and a device does not. */
static void one_file_call(uint64_t *rng, int fd)
{
	struct pollfd p = {fd, (short)random_next(rng), 0};
	struct timespec times[2] = {{1, 0}, {2, 0}};
	char data[64] = "x";
	struct stat st;
	void *map;
	int fds[2];

	switch (below(rng, 18)) {
	case 0:
		map = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   below(rng, 2) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED)
			munmap(map, 4096);
		return;
	case 1:
		count_tx(ftruncate(fd, below(rng, 1000)));
		return;
	case 2:
		count_tx(fchmod(fd, 0666));
		return;
	case 3:
		count_tx(fchown(fd, 0, 0));
		return;
	case 4:
		count_tx(futimens(fd, times));
		return;
	case 5:
		count_tx(lseek(fd, below(rng, 1000), SEEK_SET));
		return;
	case 6:
		count_tx(pread(fd, data, sizeof(data), below(rng, 3)));
		return;
	case 7:
		count_tx(pwrite(fd, data, sizeof(data), below(rng, 3)));
		return;
	case 8:
		count_tx(fsync(fd));
		return;
	case 9:
		count_tx(fallocate(fd, 0, 0, 4096));
		return;
	case 10:
		if (lockf(fd, F_TLOCK, 0) == 0)
			count_tx(lockf(fd, F_ULOCK, 0));
		return;
	case 11:
		poll(&p, 1, 0);
		return;
	case 12:
		count_tx(fstat(fd, &st));
		return;
	case 13:
		if (pipe2(fds, O_NONBLOCK) < 0)
			return;
		count_tx(splice(fd, NULL, fds[1], NULL, 4096,
				SPLICE_F_NONBLOCK));
		count_tx(write(fds[1], data, sizeof(data)));
		count_tx(splice(fds[0], NULL, fd, NULL, 4096,
				SPLICE_F_NONBLOCK));
		close(fds[0]);
		close(fds[1]);
		return;
	case 14:
		count_tx(sendfile(fd, fd, NULL, 100));
		return;
	case 15:
		count_tx(copy_file_range(fd, NULL, table[0], NULL, 100, 0));
		return;
	case 16:
		count_tx(fdatasync(fd));
		return;
	default:
		fcntl(fd, F_SETFL, O_NONBLOCK | (below(rng, 2) ? O_APPEND : 0));
		return;
	}
}

static int one_open(uint64_t *rng)
{
	static const int flags[] = {
		O_RDWR,
		O_RDONLY,
		O_WRONLY,
		O_PATH,
		O_RDWR | O_APPEND,
		O_RDWR | O_TRUNC,
		O_RDWR | O_SYNC,
		O_RDWR | O_DIRECT,
		O_RDWR | O_CREAT,
		O_RDWR | O_ASYNC,
		O_RDWR | O_DIRECTORY,
		O_RDWR | O_NOCTTY,
	};
	int fd = open(opt.device,
		      flags[below(rng, LENGTH(flags))] | O_NONBLOCK | O_CLOEXEC,
		      0666);

	if (fd >= 0 && below(rng, 2))
		attach(rng, fd);
	return fd;
}

/* One call on one of the shared descriptors, whoever else uses it now. */
static void one_call(uint64_t *rng, bool only_ioctl)
{
	unsigned int slot = below(rng, FDS);
	int fd = __atomic_load_n(&table[slot], __ATOMIC_RELAXED);

	count(C_CALLS, 1);
	switch (only_ioctl ? 0 : below(rng, 12)) {
	case 0:
	case 1:
	case 2:
		one_ioctl(rng, fd);
		break;
	case 3:
	case 4:
	case 5:
		one_write(rng, fd);
		break;
	case 6:
	case 7:
		one_read(rng, fd);
		break;
	case 8:
	case 9:
		one_file_call(rng, fd);
		break;
	case 10:
		attach(rng, fd);
		break;
	default:
		fd = __atomic_exchange_n(&table[slot], one_open(rng),
					 __ATOMIC_RELAXED);
		if (fd >= 0)
			close(fd);
		break;
	}
	if (only_ioctl && below(rng, 200) == 0) {
		fd = __atomic_exchange_n(&table[slot], one_open(rng),
					 __ATOMIC_RELAXED);
		if (fd >= 0)
			close(fd);
	}
}

static void *hostile_thread(void *data)
{
	uint64_t rng = opt.seed * 1000003u + (uint64_t)(uintptr_t)data;
	bool only_ioctl = !strcmp(opt.mode, "ioctl");

	for (uint64_t n = 0; !stopping && (!opt.count || n < opt.count); n++)
		one_call(&rng, only_ioctl);
	return NULL;
}

static void on_nudge(int sig)
{
}

int command_hostile(void)
{
	struct sigaction nudge = {.sa_handler = on_nudge};
	pthread_t thread[64];
	uint64_t rng = opt.seed;

	if (opt.threads < 1 || opt.threads > 64)
		return 2;
	enter_netns(opt.netns);
	signal(SIGIO, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigaction(SIGUSR1, &nudge, NULL);
	make_memory();
	for (int i = 0; i < FDS; i++)
		table[i] = one_open(&rng);
	count_set(C_READY, 1);
	for (unsigned int i = 0; i < opt.threads; i++) {
		errno = pthread_create(&thread[i], NULL, hostile_thread,
				       (void *)(uintptr_t)(i + 1));
		if (errno)
			die("no thread");
	}
	/* A call that blocks after all, since another thread may clear
	 * O_NONBLOCK by FIONBIO, is interrupted until its thread ends. */
	for (unsigned int i = 0; i < opt.threads; i++) {
		struct timespec t;

		for (;;) {
			clock_gettime(CLOCK_REALTIME, &t);
			t.tv_nsec += 20000000;
			if (t.tv_nsec >= 1000000000) {
				t.tv_sec++;
				t.tv_nsec -= 1000000000;
			}
			if (!pthread_timedjoin_np(thread[i], NULL, &t))
				break;
			pthread_kill(thread[i], SIGUSR1);
		}
	}
	count_set(C_DONE, 1);
	return 0;
}
