# SPDX-License-Identifier: MIT
"""Packets per second, and what each costs the processors. To the application:
what it got while the host offered more than it takes, if the host can. From
it: what came out of a UDP socket of the host."""

import scene
from figures import Metric, Table

METRICS = [
    Metric('packets_per_second', 'kpkt/s', '%.0f', main=True, scale=1e-3),
    Metric('offered_per_second', 'offered', '%.0f', scale=1e-3),
    Metric('application_cpu', 'app us', '%.2f', scale=1e6),
    Metric('machine_cpu', 'all us', '%.2f', scale=1e6),
]
ABOUT = '''UDP of so many bytes, one flow; the application on one processor,
the host's program on another. `offered`: what the other side sent, or, to the
host, what the application wrote; where it is not more than what arrived, it
is the sender that is measured. `app us`, `all us`: time of the processors for
each packet that arrived, of the application and of the whole machine.
`joined`: the library joins packets of one flow, as these all are.'''


def table():
    return Table('pps', 'Packets per second', ['direction', 'bytes'], METRICS,
                 about=ABOUT)


def measure(s, path, direction, size, seconds, plain=False):
    receiving = direction == UP
    app = s.app(path, 'receive' if receiving else 'send', size)
    more = ['--gso'] if receiving and not plain else []
    load = s.load('send' if receiving else 'sink', size, more=more)
    mine, other = scene.window([app, load], seconds)
    s.clear()
    got, sent = (mine, other) if receiving else (other, mine)
    scene.tt.check(got['packets'], 'no packet arrived')
    return {
        'packets_per_second': got['packets'] / got['seconds'],
        'offered_per_second': sent['packets'] / sent['seconds'],
        'application_cpu': mine['cpu'] / mine['seconds'] /
        got['packets'] * got['seconds'],
        'machine_cpu': mine['busy'] / mine['seconds'] /
        got['packets'] * got['seconds'],
    }


UP, DOWN = 'to application', 'to host'
PATHS = {
    UP: [scene.KERNEL, scene.KERNEL_TSO] + scene.TUND + scene.TUND_TSO[-1:] +
    [scene.VETH_BATCH, scene.VETH_RING],
    DOWN: [scene.KERNEL, scene.KERNEL_TSO] + scene.TUND +
    scene.TUND_JOINED + [scene.VETH_BATCH, scene.VETH_TX_RING],
}
NAMES = [path.name for direction in PATHS for path in PATHS[direction]]


def run(s, plan):
    """The finished table."""
    result = table()
    variants = [(path, {'direction': direction, 'bytes': size})
                for direction in (UP, DOWN) for size in plan.sizes
                for path in PATHS[direction] if plan.wants(path)]
    plan.alternate(
        s, result, variants, lambda path, **keys: measure(
            s, path, keys['direction'], keys['bytes'], plan.seconds,
            plan.opts.plain_load))
    result.facts.update(s.offload_facts())
    return result
