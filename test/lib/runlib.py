# SPDX-License-Identifier: MIT
"""What the tests of `tundctl run` have in common: programs under it, and the
supervisors that they leave."""

import os
import subprocess
import sys

import tundtest as tt

LIB = os.path.dirname(os.path.abspath(__file__))

# What a client may use: its own device file is `dev`.
PRELUDE = '''
import fcntl, os, select, socket, struct, sys, threading, time
sys.path.insert(0, %r)
from tundnet import *
dev = sys.argv[1]
THREAD = False
TUNSETNOCSUM, TUNSETDEBUG, TUNSETPERSIST = 0x400454c8, 0x400454c9, 0x400454cb
TUNSETOWNER, TUNSETLINK, TUNSETGROUP = 0x400454cc, 0x400454cd, 0x400454ce
TUNSETOFFLOAD = 0x400454d0
ALL = (1 << 41) - 1

def value(fd, cmd, number):
    number = number if number < 1 << 31 else number - (1 << 32)
    return fcntl.ioctl(fd, cmd, number)

def capset(effective, permitted):
    head = struct.pack('II', 0x20080522, 0)
    kernel = struct.unpack('6I', bytes(capget(head)))
    e, p = effective, permitted & (kernel[1] | kernel[4] << 32)
    m = (1 << 32) - 1
    syscall(libc.capset(head, struct.pack(
        '6I', e & m, p & m, 0, e >> 32, p >> 32, 0)), 'capset')

def capget(head):
    import ctypes
    data = ctypes.create_string_buffer(24)
    syscall(libc.capget(head, data), 'capget')
    return data.raw

def in_a_thread_without_capabilities(function):
    def body():
        capset(0, 0)
        function()
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
''' % LIB


def options(parser):
    parser.add_argument('--tundctl', help='the command')
    parser.add_argument('--nolibc', action='append', default=[],
                        help='programs without any library')


def programs_without_libc(t):
    """Those that can be executed here: not each kernel does all word sizes."""
    ran = False
    for program in t.opts.nolibc:
        try:
            subprocess.run([program], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, timeout=10, check=False)
        except OSError as e:
            tt.note('%s: %s' % (program, e))
            continue
        ran = True
        yield program
    if not ran:
        raise tt.Skip('no such program for this machine')


def ctl(t):
    if not t.opts.tundctl:
        raise tt.Skip('no --tundctl')
    return os.path.abspath(t.opts.tundctl)


def without_engines(t):
    """As where neither Docker nor Podman is: when they are only asked for a
    container, they set up their storage on this machine."""
    where = tt.WORK + '/no-engines'
    os.makedirs(where, exist_ok=True)
    for name in 'docker', 'podman':
        with open('%s/%s' % (where, name), 'w') as f:
            f.write('#!/bin/sh\nexit 1\n')
        os.chmod('%s/%s' % (where, name), 0o755)
    t.defer(os.environ.__setitem__, 'PATH', os.environ['PATH'])
    os.environ['PATH'] = where + ':' + os.environ['PATH']


def start(t, command, ns=None, **kwargs):
    kwargs.setdefault('stdin', subprocess.DEVNULL)
    with ns or t.home:
        p = subprocess.Popen([str(c) for c in command], **kwargs)
    t.defer(t.end_process, p)
    return p


def run(t, *program, plane='file', ns=None, **kwargs):
    """The program under tundctl run, in the namespace."""
    return start(t, [ctl(t), 'run', '--device', t.dev, '--plane', plane,
                     '--log', tt.WORK + '/run.log', '--', *program], ns,
                 **kwargs)


def client(t, code, plane='file', bare=False, args=(), **kwargs):
    """Python code under it; bare: without it."""
    command = [sys.executable, '-c', PRELUDE + code, t.dev, *args]
    if bare:
        return start(t, command, **kwargs)
    return run(t, *command, plane=plane, **kwargs)


def wait_result(p, deadline=10):
    tt.wait_for(lambda: p.poll() is not None, deadline,
                lambda: tt.process_state(p.pid))
    return p.returncode


def supervisors():
    found = []
    for pid in tt.pids():
        try:
            name = os.readlink('/proc/%d/exe' % pid)
        except OSError:
            continue
        if name.endswith('tundctl') and tt.alive(pid):
            found.append(pid)
    return found


def gone(deadline=5):
    """No supervisor is left, nor what it has forked."""
    tt.wait_for(lambda: not supervisors(), deadline, lambda: '\n'.join(
        tt.process_state(pid) for pid in supervisors()))
