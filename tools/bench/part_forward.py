# SPDX-License-Identifier: MIT
"""TCP from one namespace to another through two devices and one forwarder
between them: iperf3."""

import scene
from figures import Metric, Table
from part_openvpn import iperf

METRICS = [
    Metric('bits_per_second', 'Mbit/s', '%.0f', main=True, scale=1e-6),
    Metric('forwarder_cpu', 'forwarder s/GB', '%.2f', scale=1e9),
    Metric('machine_cpu', 'all s/GB', '%.2f', scale=1e9),
    Metric('repeated_segments', 'repeated', '%.0f'),
]
ABOUT = '''One forwarder moves the packets between two devices, with a thread
for each direction; iperf3 sends through it from one network namespace to the
other. `s/GB`: time of the processors for 1e9 bytes, of the forwarder and of
the whole machine. On the kernel's TUN the forwarder uses plain system calls,
otherwise it is examples/forwarder.c.'''
PATHS = [scene.KERNEL, scene.KERNEL_TSO] + scene.TUND + scene.TUND_TSO
NAMES = [path.name for path in PATHS]


def measure(s, path, mtu, streams, seconds):
    worker = s.forwarder(path, mtu)
    pid = worker.process.pid
    before, cpu = scene.machine_busy()[0], scene.processor_time(pid)
    end = iperf(s, scene.PEER, streams, seconds)
    used = scene.processor_time(pid) - cpu
    machine = (scene.machine_busy()[0] - before) / scene.TICKS
    size = end['sum_received']['bytes']
    return {'bits_per_second': end['sum_received']['bits_per_second'],
            'forwarder_cpu': used / size, 'machine_cpu': machine / size,
            'repeated_segments': end['sum_sent']['retransmits']}


def run(s, plan):
    result = Table('forward', 'Forwarder between two devices',
                   ['MTU', 'streams'], METRICS, about=ABOUT)
    variants = [(path, {'MTU': mtu, 'streams': streams})
                for mtu in (1500, 9000) for streams in (1, 4)
                for path in PATHS if plan.wants(path)]
    if plan.quick:
        variants = [v for v in variants if v[1]['MTU'] == 1500 and
                    v[1]['streams'] == 1]
    plan.alternate(s, result, variants, lambda path, **keys: measure(
        s, path, keys['MTU'], keys['streams'], 1 if plan.quick else 2))
    return result
