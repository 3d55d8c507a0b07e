# SPDX-License-Identifier: MIT
"""Control groups of a test's own. They are no part of any namespace: a process
beside the test sees to it that they go, whatever way it ends."""

import ctypes
import glob
import os
import platform
import select
import signal
import struct
import time

from tundnet import Skip, libc, syscall, wait_for

NAME = 'TUNDTEST_CGROUP'


def find(controller=None):
    """Where that hierarchy of version 1 is mounted, or version 2; or None."""
    with open('/proc/self/mountinfo') as f:
        for line in f:
            words = line.split()
            kind, options = words[-3], words[-1].split(',')
            if words[3] == '/' and (
                    kind == 'cgroup' and controller in options
                    if controller else kind == 'cgroup2'):
                return words[4]
    return None


def remove(path):
    """Whether it is gone. It is busy until the kernel has forgotten the last
    process."""
    for where, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(where)
        except OSError:
            pass
    return not os.path.exists(path)


def make(t, controller=None):
    """Its path. It goes with the case."""
    top = find(controller)
    if not top:
        raise Skip('needs the cgroup %s' % (controller or 'v2'))
    make.count = getattr(make, 'count', 0) + 1
    path = '%s/%s-%d' % (top, os.environ[NAME], make.count)
    try:
        os.mkdir(path)
    except OSError as e:
        raise Skip('needs a cgroup of its own: %s' % e) from None
    t.defer(wait_for, lambda: remove(path), 5, 'end of the cgroup')
    return path


def join(path):
    """The calling process, which is not the test itself."""
    with open(path + '/cgroup.procs', 'w') as f:
        f.write('0')


def bpf(command, *words):
    number = {'x86_64': 321, 'aarch64': 280}.get(platform.machine())
    if not number:
        raise Skip('knows no number of bpf(2) here')
    attr = ctypes.create_string_buffer(struct.pack(*words).ljust(128, b'\0'))
    return syscall(libc.syscall(number, command, attr, 128), 'bpf')


def refuse_device(group, *numbers):
    """No read, no write, by a program: the major and minor; without them all. It
    lets programs of inner groups decide, too."""
    def line(code, registers, offset, value):
        return struct.pack('=BBhi', code, registers, offset, value)
    lines = []
    for number in reversed(numbers):
        lines[:0] = [line(0x61, 0x12, 4 + 4 * (numbers.index(number)), 0),
                     line(0x55, 2, len(lines) + 1, number)]
    lines = [line(0xb7, 0, 0, 1),  # r0 = 1: allowed
             line(0x61, 0x12, 0, 0), line(0x54, 2, 0, 6 << 16),
             line(0x15, 2, len(lines) + 1, 0), *lines,
             line(0xb7, 0, 0, 0), line(0x95, 0, 0, 0)]
    code = ctypes.create_string_buffer(b''.join(lines))
    licence = ctypes.create_string_buffer(b'MIT')
    program = bpf(5, '=IIQQ', 15, len(lines), ctypes.addressof(code),
                  ctypes.addressof(licence))
    fd = os.open(group, os.O_RDONLY)
    bpf(8, '=IIII', fd, program, 6, 2)
    os.close(fd)
    os.close(program)


def sweep():
    """Removes what is left once the calling process has ended, which may
    become another program meanwhile."""
    os.environ[NAME] = 'tundtest-%d' % os.getpid()
    test = os.pidfd_open(os.getpid())
    if os.fork():
        os.close(test)
        return
    try:
        os.setsid()
        null = os.open('/dev/null', os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        for number in signal.SIGINT, signal.SIGHUP:
            signal.signal(number, signal.SIG_IGN)
        select.select([test], [], [])
        # All that it has started is killed with it, but that takes a moment.
        end = time.monotonic() + 10
        for top in {find(), find('devices')} - {None}:
            for path in glob.glob('%s/%s-*' % (top, os.environ[NAME])):
                while not remove(path) and time.monotonic() < end:
                    time.sleep(0.02)
    finally:
        os._exit(0)
