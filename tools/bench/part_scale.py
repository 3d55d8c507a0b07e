# SPDX-License-Identifier: MIT
"""Many devices at once: how fast they are made, what memory each takes, what
they cost when nothing happens, and what a busy one among them can do."""

import resource
import time

import part_pps
import scene
import directlib
from figures import Metric, Table
from scene import tt

METRICS = [
    Metric('created_per_second', 'made/s', '%.0f', main=True),
    Metric('daemon_bytes', 'daemon KiB', '%.1f', scale=1 / 1024),
    Metric('kernel_bytes', 'kernel KiB', '%.0f', scale=1 / 1024),
    Metric('idle_cpu', 'idle ms/s', '%.2f', scale=1e3),
    Metric('idle_wakeups', 'wake-ups/s', '%.1f'),
    Metric('packets_per_second', 'busy kpkt/s', '%.0f', scale=1e-3),
    Metric('removed_per_second', 'ended/s', '%.0f'),
]
ABOUT = '''So many devices attached at once, by one process. `daemon`: its
memory (PSS) for each; `kernel`: what the machine lost of its available memory
for each, without that; `idle`: what the daemon
uses of a processor, and how often it is woken, while nothing happens; `busy`:
64 bytes to the application on one more device; `ended`: from the end of the
process until the last interface is gone.'''
PATHS = [scene.KERNEL] + [p for p in scene.TUND
                          if p.name in ('file single', 'direct ring')]
NAMES = [path.name for path in PATHS]
IDLE = 1.0


def memory(daemon):
    """(PSS of the daemon, available memory), in bytes."""
    with open('/proc/meminfo') as f:
        free = [int(line.split()[1]) for line in f
                if line.startswith('MemAvailable')][0]
    with open('/proc/%d/smaps_rollup' % daemon) as f:
        pss = [int(line.split()[1]) for line in f
               if line.startswith('Pss:')][0]
    return pss * 1024, free * 1024


def wakeups(pid):
    total = 0
    for tid in tt.tasks(pid):
        with open('/proc/%d/task/%d/status' % (pid, tid)) as f:
            total += sum(int(line.split()[1]) for line in f
                         if 'ctxt_switches' in line)
    return total


def attach(s, path, number, held):
    """Descriptors of so many devices, which are theirs alone."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (max(limit[0], min(limit[1], 4 * number + 200)),
                        limit[1]))
    with s.host:
        for i in range(number):
            tun = tt.Tun(s.device(path), 's%d' % i)
            held.append(tun)
            if path.plane == 'direct':
                held.append(directlib.direct(tun))


def measure(s, path, devices):
    daemon, held = s.t.daemon.pid, []
    before = memory(daemon)
    begin = time.monotonic()
    try:
        attach(s, path, devices, held)
        took = time.monotonic() - begin
        after = memory(daemon)
        idle = rest(daemon)
        busy = part_pps.measure(s, path, part_pps.UP, 64, 0.3)
    finally:
        begin = time.monotonic()
        for end in held:
            end.close()
        tt.wait_for(lambda: not any(
            name.startswith('s') for name in s.host.interfaces()),
            200, 'the end of all', interval=0.01)
    gone = time.monotonic() - begin
    own = after[0] - before[0]
    # What the machine does beside it is more than one device needs.
    kernel, few = path is scene.KERNEL, devices < 16
    return {
        'created_per_second': devices / took,
        'daemon_bytes': None if kernel or few else own / devices,
        'kernel_bytes': None if few else
        (before[1] - after[1] - own) / devices,
        'idle_cpu': None if kernel else idle[0],
        'idle_wakeups': None if kernel else idle[1],
        'packets_per_second': busy['packets_per_second'],
        'removed_per_second': devices / gone}


def rest(daemon):
    """(processor time, wake-ups) of the daemon in a second of nothing; not
    before what the creation has left to do is done."""
    def settled():
        before = wakeups(daemon)
        time.sleep(0.2)
        return wakeups(daemon) == before
    tt.wait_for(settled, 3, 'the daemon rests')
    before = scene.processor_time(daemon), wakeups(daemon)
    time.sleep(IDLE)
    return ((scene.processor_time(daemon) - before[0]) / IDLE,
            (wakeups(daemon) - before[1]) / IDLE)


def run(s, plan):
    result = Table('scale', 'Many devices', ['devices'], METRICS, about=ABOUT)
    numbers = (1, 16) if plan.quick else (1, 16, 256)
    variants = [(path, {'devices': n}) for n in numbers for path in PATHS
                if plan.wants(path)]
    plan.alternate(s, result, variants, lambda path, **keys: measure(
        s, path, keys['devices']), runs=1 if plan.quick else plan.runs)
    if not plan.quick:
        plan.alternate(s, result, [(path, {'devices': 1000}) for path in PATHS
                                   if plan.wants(path)],
                       lambda path, **keys: measure(s, path, keys['devices']),
                       runs=1)
    return result
