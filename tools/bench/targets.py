# SPDX-License-Identifier: MIT
"""What tund wants to reach, against the kernel's TUN and against FUSE's own
limit in the same run, and whether it did."""

from figures import KERNEL, grid

UP, DOWN = 'to application', 'to host'


class Target:
    """value(tables) is the ratio that was reached, or None if there is none;
    least: it is to be so much or more, else most: or less. limit(tables): the
    same ratio of what the kernel's own parts can do, or None."""

    def __init__(self, name, against, value, least=None, most=None,
                 limit=None):
        self.name, self.against = name, against
        self.value, self.least, self.most = value, least, most
        self.limit = limit

    def judge(self, tables):
        def ask(function):
            try:
                return function(tables) if function else None
            except KeyError:
                return None
        value = ask(self.value)
        reached = None if value is None else (
            value >= self.least if self.least is not None
            else value <= self.most)
        return {'name': self.name, 'against': self.against, 'value': value,
                'least': self.least, 'most': self.most,
                'limit': ask(self.limit), 'reached': reached}


def best(*values):
    there = [v for v in values if v is not None]
    return max(there) if there else None


def pps(paths, direction, size, metric='packets_per_second', base=KERNEL):
    return lambda tables: best(*(
        tables['pps'].ratio(metric, path, base, direction=direction,
                            bytes=size) for path in paths))


def forward(path, base=KERNEL, mtu=1500, streams=1):
    return lambda tables: tables['forward'].ratio(
        'bits_per_second', path, base, MTU=mtu, streams=streams)


def call(name, packets, path, base, times_as_fast=False):
    """How much longer the path takes, or how much shorter."""
    def value(tables):
        ratio = tables['null'].ratio('time', path, base, call=name,
                                     packets=packets)
        return 1 / ratio if ratio and times_as_fast else ratio
    return value


def idle(tables):
    """Of the most devices there were, on whichever plane it was worse."""
    table = tables['scale']
    most = max((key[0] for key in table.rows), default=0)
    used = [table.get('idle_cpu', key[-1], devices=most)
            for key in table.rows if key[0] == most]
    return best(*used)


DIRECT = ('direct ring', 'direct batch')
VETH = ('bare veth ring', 'bare veth batch')
SIZES = (64, 1400)

TARGETS = [
    Target('direct ring or batch, %s, %d B, packets/s' % (UP, size),
           'kernel TUN read', pps(DIRECT, UP, size), least=1.0,
           limit=pps(VETH, UP, size)) for size in SIZES
] + [
    Target('direct batch, %s, %d B, packets/s' % (DOWN, size),
           'kernel TUN write',
           pps(('direct batch', 'direct batch joined'), DOWN, size), least=1.0,
           limit=pps(('bare veth batch',), DOWN, size)) for size in SIZES
] + [
    Target('direct ring, application CPU per packet received, %d B' % size,
           'kernel TUN read',
           pps(('direct ring',), UP, size, 'application_cpu'), most=0.3,
           limit=pps(('bare veth ring',), UP, size, 'application_cpu'))
    for size in SIZES
] + [
    Target('direct with TSO, forwarder, 1 stream, MTU %d' % mtu,
           'kernel TUN with TSO',
           lambda tables, mtu=mtu: best(
               forward('direct ring TSO', 'kernel TUN TSO', mtu)(tables),
               forward('direct batch TSO', 'kernel TUN TSO', mtu)(tables)),
           least=1.0) for mtu in (1500, 9000)
] + [
    Target('direct single, forwarder, 1 stream, MTU %d' % mtu, 'kernel TUN',
           forward('direct single', mtu=mtu), least=0.9)
    for mtu in (1500, 9000)
] + [
    Target('file batch, %s, 1400 B, packets/s' % UP, 'kernel TUN',
           pps(('file batch',), UP, 1400), least=0.7),
    Target('file batch, %s, 1400 B, packets/s' % DOWN, 'kernel TUN',
           pps(('file batch', 'file batch joined'), DOWN, 1400), least=0.7),
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
           lambda tables: tables['openvpn'].ratio('bits_per_second',
                                                  'plain file'), least=0.5),
    Target('daemon while all devices are idle, s/s', '-', idle, most=0.0),
]


def judge(tables):
    return [target.judge(tables) for target in TARGETS]


def text(verdicts):
    def number(value):
        return '-' if value is None else '%.2f' % value
    words = {True: 'reached', False: 'not reached', None: 'not measured'}
    body = [[v['name'], v['against'],
             'at least %.1f' % v['least'] if v['least'] is not None
             else 'at most %.1f' % v['most'], number(v['value']),
             number(v['limit']), words[v['reached']]] for v in verdicts]
    return '\n'.join(['### Targets', ''] + grid(
        ['path', 'against', 'ratio', 'is', 'limit', ''], body, 3)) + '\n'
