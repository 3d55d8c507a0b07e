# SPDX-License-Identifier: MIT
"""What one read or write of the device file costs, and what it costs on a FUSE
server that does nothing, in several placements."""

import json
import os

import scene
from figures import KERNEL, Metric, Table
from scene import tt

METRICS = [
    Metric('time', 'us', '%.2f', main=True, scale=1e6),
    Metric('own_cpu', 'own us', '%.2f', scale=1e6),
    Metric('machine_cpu', 'all us', '%.2f', scale=1e6),
]
ABOUT = '''One call after the other, 1400 bytes each, from one processor.
`queued`: the packets are there before; `load`: they keep coming from a process
on another processor. `null FUSE` answers at once, whatever it is asked, beside
the same load: `default`, libfuse's own loop with one thread, wherever the
kernel puts it; `same CPU`, on the client's; `spinning`, on another one, where
it never sleeps; `as tund`, with the daemon's own workers.'''
NULL = {
    'null FUSE default': [],
    'null FUSE same CPU': ['--cpu'],
    'null FUSE spinning': ['--spin'],
    'null FUSE as tund': ['--tund'],
}
NAMES = [KERNEL, 'file single', *NULL]


class Subject:
    def __init__(self, name):
        self.name = name


def clock(s, mode, path, *more):
    """file-time, in a namespace of its own: it makes an interface."""
    said = json.loads(tt.run(
        'unshare', '--net', s.t.opts.file_time, '--mode', mode, '--size', 1400,
        '--cpu', max(0, s.cpus[0]), *more, path))
    return {'time': said['ns'] / 1e9, 'own_cpu': said['own_ns'] / 1e9,
            'machine_cpu': said['all_ns'] / 1e9}


def measure_null(s, name, mode, more):
    path = '%s/null%d' % (tt.WORK, s.number())
    with open(path, 'w'):
        pass
    args = list(NULL[name])
    if args == ['--cpu']:
        args.append(max(0, s.cpus[0]))
    server = s.worker(s.host, s.t.opts.null_fuse, *args, path)
    try:
        return clock(s, mode, path, '--count', 20000, *more)
    finally:
        server.process.terminate()
        server.process.wait(10)
        os.unlink(path)


def measure(s, subject, call, packets):
    more = ['--load'] if packets == 'load' else []
    if subject.name in NULL:
        return measure_null(s, subject.name, call, more)
    path = scene.NODE if subject.name == KERNEL else s.t.dev
    return clock(s, call, path, '--tun', '--count', 20000, *more)


def run(s, plan):
    result = Table('null', 'The device file, call by call',
                   ['call', 'packets'], METRICS, about=ABOUT)
    subjects = [Subject(n) for n in NAMES]
    variants = [(subject, {'call': call, 'packets': packets})
                for call, packets in (('read', 'queued'), ('read', 'load'),
                                      ('write', '-'))
                for subject in subjects if plan.wants(subject)]
    plan.alternate(s, result, variants, lambda subject, **keys: measure(
        s, subject, **keys))
    return result
