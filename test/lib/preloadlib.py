# SPDX-License-Identifier: MIT
"""What the tests of libtunclient-preload.so have in common: Python programs
under it."""

import os
import struct
import subprocess
import sys

import tundtest as tt
from runlib import PRELUDE, start

ABILITY_DIRECT = 1

# fstat() does not tell, which is a case of its own.
KIND = '''
import ctypes
def kind(fd):
    link = os.readlink('/proc/self/fd/%d' % fd)
    return 'socket' if link.startswith('socket:') else 'file'
def kept():
    return [int(fd) for fd in os.listdir('/proc/self/fd') if os.path.lexists(
        '/proc/self/fd/' + fd) and int(fd) >= 100 and kind(int(fd)) == 'file']
def error(function, *args):
    try: return function(*args)
    except OSError as e: return 'E%d' % e.errno
def bare(fd, number, arg):
    """The result, or the error, of an argument that is no object."""
    r = libc.ioctl(fd, ctypes.c_ulong(number), ctypes.c_void_p(arg))
    return 'E%d' % ctypes.get_errno() if r < 0 else r
'''


def options(parser):
    parser.add_argument('--preload', help='libtunclient-preload.so')


def environment(t, plane):
    if not t.opts.preload:
        raise tt.Skip('no --preload')
    env = {**os.environ, 'LD_PRELOAD': os.path.abspath(t.opts.preload)}
    env.pop('TUND_PLANE', None)
    if plane is not None:
        env['TUND_PLANE'] = plane
    return env


def client(t, code, plane=None, ns=None, **kwargs):
    return start(t, [sys.executable, '-c', PRELUDE + KIND + code, t.dev], ns,
                 env=environment(t, plane), **kwargs)


def output(t, code, plane=None, ns=None, **kwargs):
    """What the client prints, as words; it must end well."""
    p = client(t, code, plane, ns, stdout=subprocess.PIPE, text=True, **kwargs)
    out = p.communicate(timeout=15 * tt.tundnet.slack)[0]
    tt.equal(p.returncode, 0, 'status of the client, which said ' + out)
    return out.split()


def can_direct(t):
    tun = tt.Tun(t.dev, attach=False)
    answer = bytearray(16)
    try:
        tt.fcntl.ioctl(tun.fd, tt.TUND_IOC_INFO, answer)
    finally:
        tun.close()
    return bool(struct.unpack('IIQ', answer)[2] & ABILITY_DIRECT)


def direct_case(**kwargs):
    """A case that is skipped where the daemon hands out no sockets."""
    def mark(function):
        def checked(t):
            if not can_direct(t):
                raise tt.Skip('the daemon hands out no packet sockets')
            function(t)
        checked.__name__ = function.__name__
        return tt.case(needs='tund', **kwargs)(checked)
    return mark
