/* SPDX-License-Identifier: MIT */
/*
 * preload_stat.c - tund's file, and the socket in its place, look like the
 * kernel's own device node. The functions of each name exist for two
 * structures, and in C libraries of before 2021 under names of their own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <tund/abi.h>

#include "preload.h"
#include "preload_kept.h"

/* The kernel's own device node. */
#define TUN_MAJOR 10
#define TUN_MINOR 200

/* Most files are told from ours by what stat gives; only then one is asked. */
#define MAY_BE_OURS(st)                                                        \
	(S_ISREG((st)->st_mode) && (st)->st_size == TUND_FILE_SIZE &&          \
	 (st)->st_blocks == 0)

/* A file system without a device is behind it; this one may be asked, too. */
#define MAY_BE_OPENED(st) (MAY_BE_OURS(st) && major((st)->st_dev) == 0)

#define DRESS(st)                                                              \
	do {                                                                   \
		(st)->st_mode = S_IFCHR | ((st)->st_mode & 07777);             \
		(st)->st_rdev = makedev(TUN_MAJOR, TUN_MINOR);                 \
		(st)->st_size = 0;                                             \
	} while (0)

static bool path_is_tund(int dir, const char *path)
{
	int fd = (int)syscall(SYS_openat, dir, path,
			      O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_ours;

	if (fd < 0)
		return false;
	is_ours = preload_is_tund(fd);
	syscall(SYS_close, fd);
	return is_ours;
}

/* The file's, if one is kept; `again` gives it to *st. */
#define MEND_FD(fd, st, again)                                                 \
	do {                                                                   \
		int saved_errno = errno;                                       \
		struct kept *kept;                                             \
                                                                               \
		if (MAY_BE_OURS(st) && preload_is_tund(fd))                    \
			DRESS(st);                                             \
		kept = S_ISSOCK((st)->st_mode) ? kept_find(fd) : NULL;         \
		if (kept) {                                                    \
			if ((again) == 0)                                      \
				DRESS(st);                                     \
			kept_return(kept);                                     \
		}                                                              \
		errno = saved_errno;                                           \
	} while (0)

#define MEND_PATH(dir, path, st)                                               \
	do {                                                                   \
		int saved_errno = errno;                                       \
                                                                               \
		if (MAY_BE_OPENED(st) && path_is_tund(dir, path))              \
			DRESS(st);                                             \
		errno = saved_errno;                                           \
	} while (0)

static void *find_next(_Atomic(void *) *cache, const char *name)
{
	void *next = atomic_load(cache);

	if (!next) {
		next = dlsym(RTLD_NEXT, name);
		atomic_store(cache, next);
	}
	return next;
}

#define NEXT(ret_next, name)                                                   \
	do {                                                                   \
		static _Atomic(void *) cache;                                  \
                                                                               \
		*(void **)&(ret_next) = find_next(&cache, name);               \
		if (!(ret_next)) {                                             \
			errno = ENOSYS;                                        \
			return -1;                                             \
		}                                                              \
	} while (0)

static bool is_descriptor(const char *path, int flags)
{
	return flags & AT_EMPTY_PATH && (!path || !*path);
}

#define OF_DESCRIPTOR(name, type)                                              \
	EXPORT int name(int fd, struct type *st)                               \
	{                                                                      \
		int (*next)(int, struct type *);                               \
		int r;                                                         \
                                                                               \
		NEXT(next, #name);                                             \
		r = next(fd, st);                                              \
		if (r == 0)                                                    \
			MEND_FD(fd, st, next(kept_file(kept), st));            \
		return r;                                                      \
	}

#define OF_PATH(name, type)                                                    \
	EXPORT int name(const char *path, struct type *st)                     \
	{                                                                      \
		int (*next)(const char *, struct type *);                      \
		int r;                                                         \
                                                                               \
		NEXT(next, #name);                                             \
		r = next(path, st);                                            \
		if (r == 0)                                                    \
			MEND_PATH(AT_FDCWD, path, st);                         \
		return r;                                                      \
	}

#define OF_BOTH(name, type)                                                    \
	EXPORT int name(int dir, const char *path, struct type *st, int flags) \
	{                                                                      \
		int (*next)(int, const char *, struct type *, int);            \
		int r;                                                         \
                                                                               \
		NEXT(next, #name);                                             \
		r = next(dir, path, st, flags);                                \
		if (r == 0 && is_descriptor(path, flags))                      \
			MEND_FD(dir, st,                                       \
				next(kept_file(kept), "", st, flags));         \
		else if (r == 0)                                               \
			MEND_PATH(dir, path, st);                              \
		return r;                                                      \
	}

/* clang-format off: each of these is a function. */
OF_DESCRIPTOR(fstat, stat)
OF_DESCRIPTOR(fstat64, stat64)
OF_PATH(stat, stat)
OF_PATH(stat64, stat64)
OF_PATH(lstat, stat)
OF_PATH(lstat64, stat64)
OF_BOTH(fstatat, stat)
OF_BOTH(fstatat64, stat64)
/* clang-format on */

/* ---- with the version of the structure, for programs of before 2021 ---- */

#define OLD_OF_DESCRIPTOR(name, type)                                          \
	EXPORT int name(int version, int fd, struct type *st);                 \
	int name(int version, int fd, struct type *st)                         \
	{                                                                      \
		int (*next)(int, int, struct type *);                          \
		int r;                                                         \
                                                                               \
		NEXT(next, #name);                                             \
		r = next(version, fd, st);                                     \
		if (r == 0)                                                    \
			MEND_FD(fd, st, next(version, kept_file(kept), st));   \
		return r;                                                      \
	}

#define OLD_OF_PATH(name, type)                                                \
	EXPORT int name(int version, const char *path, struct type *st);       \
	int name(int version, const char *path, struct type *st)               \
	{                                                                      \
		int (*next)(int, const char *, struct type *);                 \
		int r;                                                         \
                                                                               \
		NEXT(next, #name);                                             \
		r = next(version, path, st);                                   \
		if (r == 0)                                                    \
			MEND_PATH(AT_FDCWD, path, st);                         \
		return r;                                                      \
	}

#define OLD_OF_BOTH(name, type)                                                \
	EXPORT int name(int version, int dir, const char *path,                \
			struct type *st, int flags);                           \
	int name(int version, int dir, const char *path, struct type *st,      \
		 int flags)                                                    \
	{                                                                      \
		int (*next)(int, int, const char *, struct type *, int);       \
		int r;                                                         \
                                                                               \
		NEXT(next, #name);                                             \
		r = next(version, dir, path, st, flags);                       \
		if (r == 0 && is_descriptor(path, flags))                      \
			MEND_FD(dir, st,                                       \
				next(version, kept_file(kept), "", st,         \
				     flags));                                  \
		else if (r == 0)                                               \
			MEND_PATH(dir, path, st);                              \
		return r;                                                      \
	}

/* clang-format off */
OLD_OF_DESCRIPTOR(__fxstat, stat)
OLD_OF_DESCRIPTOR(__fxstat64, stat64)
OLD_OF_PATH(__xstat, stat)
OLD_OF_PATH(__xstat64, stat64)
OLD_OF_PATH(__lxstat, stat)
OLD_OF_PATH(__lxstat64, stat64)
OLD_OF_BOTH(__fxstatat, stat)
OLD_OF_BOTH(__fxstatat64, stat64)
/* clang-format on */

/* ---- statx(2) ---- */

#define STATX_NEEDED (STATX_TYPE | STATX_SIZE | STATX_BLOCKS)

static bool statx_may_be_ours(const struct statx *st)
{
	return (st->stx_mask & STATX_NEEDED) == STATX_NEEDED &&
	       S_ISREG(st->stx_mode) && st->stx_size == TUND_FILE_SIZE &&
	       st->stx_blocks == 0 && st->stx_dev_major == 0;
}

static void dress_statx(struct statx *st)
{
	st->stx_mode = (__u16)(S_IFCHR | (st->stx_mode & 07777));
	st->stx_rdev_major = TUN_MAJOR;
	st->stx_rdev_minor = TUN_MINOR;
	st->stx_size = 0;
}

EXPORT int statx(int dir, const char *path, int flags, unsigned int mask,
		 struct statx *st)
{
	int (*next)(int, const char *, int, unsigned int, struct statx *);
	int saved_errno = errno, r;
	struct kept *kept;

	NEXT(next, "statx");
	r = next(dir, path, flags, mask, st);
	if (r != 0)
		return r;
	if (statx_may_be_ours(st) &&
	    (is_descriptor(path, flags) ? preload_is_tund(dir)
					: path_is_tund(dir, path)))
		dress_statx(st);
	kept = S_ISSOCK(st->stx_mode) && is_descriptor(path, flags)
		       ? kept_find(dir)
		       : NULL;
	if (kept) {
		if (next(kept_file(kept), "", flags, mask, st) == 0)
			dress_statx(st);
		kept_return(kept);
	}
	errno = saved_errno;
	return 0;
}
