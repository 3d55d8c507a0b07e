# SPDX-License-Identifier: MIT
"""How long a packet takes from the host to the application and back: one ping
after the other, alone or beside half of what the path can take."""

import part_pps
import scene
from figures import Metric, Table

METRICS = [
    Metric('p50', 'p50 us', '%.1f', main=True),
    Metric('p99', 'p99 us', '%.1f', main=True),
    Metric('load_per_second', 'load kpkt/s', '%.0f', scale=1e-3),
    Metric('lost', 'lost', '%.0f'),
]
ABOUT = '''UDP of 64 bytes from a socket of the host to the application and
back, the next one when the one before is back. `half`: while the host sends
other packets to it, half as many as it was found to take just before.'''
PATHS = [scene.KERNEL] + scene.TUND + [scene.VETH_RING]
NAMES = [path.name for path in PATHS]


def measure(s, path, load, seconds):
    rate = 0
    if load == 'half':
        found = part_pps.measure(s, path, part_pps.UP, 64, 0.2)
        rate = found['packets_per_second'] / 2
    app = s.app(path, 'echo')
    workers = [s.load('ping', port=scene.ECHO_PORT), app]
    if rate:
        workers.append(s.load('send', more=['--rate', int(rate), '--gso']))
    ping, mine = scene.window(workers, seconds)[:2]
    scene.tt.check(ping['packets'], 'no ping came back')
    return {'p50': ping['p50'], 'p99': ping['p99'], 'lost': ping['bytes'],
            'load_per_second': mine['packets'] / mine['seconds']}


def run(s, plan):
    result = Table('latency', 'Round trip', ['load'], METRICS, about=ABOUT)
    variants = [(path, {'load': load}) for load in ('idle', 'half')
                for path in PATHS if plan.wants(path)]
    plan.alternate(s, result, variants, lambda path, **keys: measure(
        s, path, keys['load'], plan.seconds))
    return result
