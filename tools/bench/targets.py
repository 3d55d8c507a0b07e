# SPDX-License-Identifier: MIT
"""What tund wants to reach, against the kernel's TUN and against FUSE's own
limit in the same run, and whether it did."""

from figures import KERNEL, grid

UP, DOWN = 'to application', 'to host'


class Target:
    """value(tables) is a pair: the ratio that was reached, and the path whose
    row it is from; or None if there is none. least: it is to be so much or
    more, else most: or less. limit(tables): the same of what the kernel's own
    parts can do, or None."""

    def __init__(self, name, against, value, least=None, most=None,
                 limit=None):
        self.name, self.against = name, against
        self.value, self.least, self.most = value, least, most
        self.limit = limit

    def judge(self, tables):
        def ask(function):
            try:
                return function and function(tables) or (None, None)
            except KeyError:
                return None, None
        value, path = ask(self.value)
        reached = None if value is None else (
            value >= self.least if self.least is not None
            else value <= self.most)
        return {'name': self.name, 'against': self.against, 'value': value,
                'path': None if value is None else path,
                'least': self.least, 'most': self.most,
                'limit': ask(self.limit)[0], 'reached': reached}


def best(rows):
    """Of pairs of a ratio, or None, and its path: the largest."""
    there = [row for row in rows if row[0] is not None]
    return max(there, key=lambda row: row[0]) if there else None


def pps(paths, direction, size, metric='packets_per_second', base=KERNEL):
    return lambda tables: best(
        (tables['pps'].ratio(metric, path, base, direction=direction,
                             bytes=size), path) for path in paths)


def forward(paths, mtu, base=KERNEL):
    return lambda tables: best(
        (tables['forward'].ratio('bits_per_second', path, base, MTU=mtu,
                                 streams=1), path) for path in paths)


def call(name, packets, path, base, times_as_fast=False):
    """How much longer the path takes, or how much shorter."""
    def value(tables):
        ratio = tables['null'].ratio('time', path, base, call=name,
                                     packets=packets)
        return 1 / ratio if ratio and times_as_fast else ratio, path
    return value


def idle(tables):
    """Of the most devices there were, on whichever plane it was worse."""
    table = tables['scale']
    most = max((key[0] for key in table.rows), default=0)
    return best((table.get('idle_cpu', key[-1], devices=most), key[-1])
                for key in table.rows if key[0] == most)


def openvpn(path):
    return lambda tables: (
        tables['openvpn'].ratio('bits_per_second', path), path)


DIRECT = ('direct ring', 'direct batch')
VETH = ('bare veth ring', 'bare veth batch')
SIZES = (64, 1400)

TARGETS = [
    Target('direct ring or batch, %s, %d B, packets/s' % (UP, size),
           'kernel TUN read', pps(DIRECT, UP, size), least=1.0,
           limit=pps(VETH, UP, size)) for size in SIZES
] + [
    Target('direct batch, %s, %d B, packets/s' % (words, size),
           'kernel TUN write', pps((path,), DOWN, size), least=1.0,
           limit=limit and pps((limit,), DOWN, size))
    for words, path, limit in (
        (DOWN, 'direct batch', 'bare veth batch'),
        # Of several packets it makes one, which the bare pair does not.
        ('one flow ' + DOWN, 'direct batch joined', None)) for size in SIZES
] + [
    Target('direct ring, application CPU per packet received, %d B' % size,
           'kernel TUN read',
           pps(('direct ring',), UP, size, 'application_cpu'), most=0.3,
           limit=pps(('bare veth ring',), UP, size, 'application_cpu'))
    for size in SIZES
] + [
    Target('direct with TSO, forwarder, 1 stream, MTU %d' % mtu,
           'kernel TUN with TSO',
           forward(('direct ring TSO', 'direct batch TSO'), mtu,
                   'kernel TUN TSO'), least=1.0) for mtu in (1500, 9000)
] + [
    Target('direct single, forwarder, 1 stream, MTU %d' % mtu, 'kernel TUN',
           forward(('direct single',), mtu), least=0.9)
    for mtu in (1500, 9000)
] + [
    Target('file batch, %s, 1400 B, packets/s' % UP, 'kernel TUN',
           pps(('file batch',), UP, 1400), least=0.7),
    Target('file batch, %s, 1400 B, packets/s' % DOWN, 'kernel TUN',
           pps(('file batch',), DOWN, 1400), least=0.7),
    Target('file batch, one flow %s, 1400 B, packets/s' % DOWN, 'kernel TUN',
           pps(('file batch joined',), DOWN, 1400), least=0.7),
] + [
    Target('file single, time of a %s' % what, 'null FUSE, placed so, too',
           call(what, packets, 'file single', 'null FUSE as tund'), most=1.2)
    for what, packets in (('read', 'queued'), ('write', '-'))
] + [
    Target('file single, a read under load, times as fast',
           'null FUSE, libfuse\'s loop',
           call('read', 'load', 'file single', 'null FUSE default', True),
           least=2.0),
    Target('OpenVPN end to end, plain file', 'kernel TUN',
           openvpn('plain file'), least=0.5),
    Target('daemon while all devices are idle, s/s', '-', idle, most=0.0),
]


def judge(tables):
    return [target.judge(tables) for target in TARGETS]


def text(verdicts):
    def number(value):
        return '-' if value is None else '%.2f' % value
    words = {True: 'reached', False: 'not reached', None: 'not measured'}
    body = [[v['name'], v['path'] or '-', v['against'],
             'at least %.1f' % v['least'] if v['least'] is not None
             else 'at most %.1f' % v['most'], number(v['value']),
             number(v['limit']), words[v['reached']]] for v in verdicts]
    return '\n'.join(['### Targets', ''] + grid(
        ['target', 'row', 'against', 'ratio', 'is', 'limit', ''], body,
        4)) + '\n'
