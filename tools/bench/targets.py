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


DIRECT = ('direct ring', 'direct batch')
VETH = ('bare veth ring', 'bare veth batch')

TARGETS = [
    Target('direct ring or batch, to the application, %d B, packets/s' % size,
           'kernel TUN read', pps(DIRECT, UP, size), least=1.0,
           limit=pps(VETH, UP, size)) for size in (64, 1400)
] + [
    Target('direct batch, to the host, %d B, packets/s' % size,
           'kernel TUN write', pps(('direct batch',), DOWN, size), least=1.0,
           limit=pps(('bare veth batch',), DOWN, size))
    for size in (64, 1400)
] + [
    Target('direct ring, application CPU per packet received, %d B' % size,
           'kernel TUN read',
           pps(('direct ring',), UP, size, 'application_cpu'), most=0.3,
           limit=pps(('bare veth ring',), UP, size, 'application_cpu'))
    for size in (64, 1400)
] + [
    Target('file batch, %s, 1400 B, packets/s' % direction, 'kernel TUN',
           pps(('file batch',), direction, 1400), least=0.7)
    for direction in (UP, DOWN)
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
