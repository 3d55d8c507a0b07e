# SPDX-License-Identifier: MIT
"""System calls for each packet, as the kernel's tracepoint counts them, of the
application and of the daemon."""

import os

import part_pps
import scene
from figures import Metric, Table
from part_pps import DOWN, PATHS, UP
from scene import tt

METRICS = [
    Metric('calls_per_packet', 'application', '%.3f', main=True),
    Metric('calls_of_daemon_per_packet', 'daemon', '%.3f'),
]
ABOUT = '''Counted by the kernel (raw_syscalls:sys_enter) under full load,
1400 bytes, for each packet that the application received or sent.'''
NAMES = part_pps.NAMES


def tracepoint():
    """Its number, or None. The file system is mounted for us alone."""
    where = tt.WORK + '/tracing'
    try:
        os.makedirs(where, exist_ok=True)
        path = where + '/events/raw_syscalls/sys_enter/id'
        if not os.path.exists(path):
            tt.mount('tracefs', where, 'tracefs')
        with open(path) as f:
            return int(f.read())
    except OSError:
        return None


def measure(s, path, direction, number):
    if not number:
        raise scene.NotHere('the kernel has no tracepoint for system calls')
    more = ['--tracepoint', number]
    if path.plane in ('file', 'direct'):
        more += ['--daemon', s.t.daemon.pid]
    app = s.app(path, 'receive' if direction == UP else 'send', 1400, more)
    load = s.load('send', 1400, more=['--gso']) if direction == UP else \
        s.load('sink', 1400)
    mine, _ = scene.window([app, load], 0.25)
    tt.check(mine['packets'], 'no packet arrived')
    return {'calls_per_packet': mine['calls'] / mine['packets'],
            'calls_of_daemon_per_packet':
                mine['calls_of_daemon'] / mine['packets']
                if '--daemon' in more else None}


def run(s, plan):
    result = Table('calls', 'System calls per packet', ['direction'], METRICS,
                   about=ABOUT)
    number = tracepoint()
    variants = [(path, {'direction': direction}) for direction in (UP, DOWN)
                for path in PATHS[direction] if plan.wants(path)]
    plan.alternate(s, result, variants, lambda path, **keys: measure(
        s, path, keys['direction'], number), runs=1 if plan.quick else 3)
    return result
