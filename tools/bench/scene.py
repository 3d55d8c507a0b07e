# SPDX-License-Identifier: MIT
"""The places where the benchmark measures: namespaces, an application on one
path, loads beside it, all counting in the same window of time. It knows no
targets and prints nothing."""

import json
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'test', 'lib'))
import tundtest as tt  # noqa: E402

NODE = '/dev/net/tun'
HOST, PEER = '10.1.0.1', '10.1.0.2'
COUNT_PORT, ECHO_PORT = 9, 7
EXIT_NOT_HERE = 3
TICKS = os.sysconf('SC_CLK_TCK')

OFFLOADS = {'tx checksum': 'tx-checksumming',
            'tso': 'tcp-segmentation-offload',
            'gso': 'generic-segmentation-offload',
            'gro': 'generic-receive-offload'}

# Where the application runs and where the loads do, if there are two.
APP_CPU, LOAD_CPU = 0, 1


class NotHere(Exception):
    """A path that cannot be had on this machine or with this build."""


class Path:
    """plane: 'tun' is a TUN by plain system calls, 'veth' a bare veth pair by
    plain system calls, all others are libtunclient's. mode: its way to move
    packets. offloads: checksums and TSO are passed on; 'udp': segments of UDP,
    so that the library joins what is sent."""

    def __init__(self, name, plane, mode, offloads=False):
        self.name, self.plane, self.mode = name, plane, mode
        self.offloads = offloads
        self.batch = 1 if mode == 'single' else 64

    @property
    def word(self):
        """bench-app's name for it."""
        if self.plane == 'tun':
            return 'tun-vnet' if self.offloads else 'tun'
        words = [self.plane, self.mode]
        if self.offloads:
            words.insert(1, 'udp' if self.offloads == 'udp' else 'offloads')
        return '-'.join(words)

    @property
    def is_kernel(self):
        return self.plane in ('tun', 'kernel')


KERNEL = Path('kernel TUN', 'tun', 'single')
KERNEL_TSO = Path('kernel TUN TSO', 'tun', 'single', True)
TUND = [
    Path('file single', 'file', 'single'),
    Path('file batch', 'file', 'batch'),
    Path('direct single', 'direct', 'single'),
    Path('direct batch', 'direct', 'batch'),
    Path('direct ring', 'direct', 'ring'),
]
TUND_TSO = [
    Path('file batch TSO', 'file', 'batch', True),
    Path('direct batch TSO', 'direct', 'batch', True),
    Path('direct ring TSO', 'direct', 'ring', True),
]
TUND_JOINED = [
    Path('file batch joined', 'file', 'batch', 'udp'),
    Path('direct batch joined', 'direct', 'batch', 'udp'),
]
VETH_BATCH = Path('bare veth batch', 'veth', 'batch')
VETH_RING = Path('bare veth ring', 'veth', 'ring')
VETH_TX_RING = Path('bare veth TX ring', 'veth', 'tx-ring')


class Worker:
    """A process of the benchmark that has said that it is ready."""

    interfaces = ()

    def __init__(self, ns, *command):
        self.command = [str(c) for c in command]
        with ns:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def wait_ready(self):
        words = self.process.stdout.readline().split()
        if words[:1] != ['ready']:
            self.fail()
        self.name = words[1] if len(words) > 1 else ''

    def fail(self):
        _, said = self.process.communicate(timeout=10)
        said = said.strip()
        if self.process.returncode == EXIT_NOT_HERE or \
                os.path.basename(self.command[0]) == 'forwarder':
            raise NotHere(said)
        raise tt.Failure('%s: exit %d: %s' % (
            ' '.join(self.command), self.process.returncode, said))

    def go(self, begin, end):
        self.process.stdin.write('%.6f %.6f\n' % (begin, end))
        self.process.stdin.flush()

    def result(self, deadline):
        line = self.process.stdout.readline()
        if not line:
            self.fail()
        self.process.wait(deadline)
        return json.loads(line)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout,
                       self.process.stderr):
            stream.close()


def window(workers, seconds, warm=0.15):
    """Starts them all; what each says in the end."""
    begin = time.monotonic() + warm
    for worker in workers:
        worker.go(begin, begin + seconds)
    return [w.result(seconds + 10) for w in workers]


class Scene:
    """A host's namespace, and another one for the far end of a bare veth."""

    def __init__(self, t):
        self.t = t
        self.host, self.far = t.netns('host'), t.netns('far')
        t.defer(self.clear)
        self.serial = 0
        self.workers, self.others = [], []
        self.offloads = {}
        cpus = sorted(os.sched_getaffinity(0))
        self.cpus = (cpus[APP_CPU], cpus[LOAD_CPU]) if len(cpus) > 1 else \
            (-1, -1)

    def device(self, path):
        return NODE if path.is_kernel else self.t.dev

    def worker(self, ns, *command):
        worker = Worker(ns, *command)
        self.workers.append(worker)
        worker.wait_ready()
        return worker

    def number(self):
        self.serial += 1
        return self.serial

    def new_name(self):
        return 'b%d' % self.number()

    def app(self, path, action, size=64, more=()):
        """The application, attached, its interface up and with a route."""
        name = self.new_name()
        command = [self.t.opts.app, '--path', path.word, '--batch', path.batch,
                   '--cpu', self.cpus[0], '--size', size, '--from', PEER,
                   '--to', HOST, '--device', self.device(path), *more]
        if path.plane == 'veth':
            command += self.bare_veth(name)
        else:
            command += ['--name', name]
        worker = self.worker(self.far if path.plane == 'veth' else self.host,
                             *command, action)
        worker.interfaces = [(self.host, name)]
        self.host.ip('addr add %s/24 dev %s' % (HOST, name),
                     'link set %s up' % name)
        if path.name not in self.offloads:
            self.offloads[path.name] = self.offloads_of(name)
        return worker

    def offloads_of(self, name):
        with self.host:
            said = tt.run('ethtool', '-k', name)
        found = dict(line.strip().split(': ')[:2] for line in
                     said.split('\n')[1:] if ': ' in line)
        return ', '.join('%s %s' % (short, found.get(full, '?').split()[0])
                         for short, full in OFFLOADS.items())

    def offload_facts(self):
        """One line for all interfaces that have the same."""
        by_state = {}
        for path, state in self.offloads.items():
            by_state.setdefault(state, []).append(path)
        return {'Offloads of the interface, %s' % ', '.join(paths): state
                for state, paths in by_state.items()}

    def bare_veth(self, name):
        far = name + 'far'
        with self.host:
            tt.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name',
                   far, 'netns', self.far.name)
        for ns, end in ((self.host, name), (self.far, far)):
            ns.ip('link set %s arp off' % end)
            with ns:
                tt.run('ethtool', '-K', end, 'tx', 'off', 'sg', 'off', 'tso',
                       'off', 'gro', 'off', ok=False)
        self.far.ip('link set %s up' % far)
        with self.host:
            words = tt.run('ip', '-o', 'link', 'show', 'dev', name).split()
        return ['--name', far, '--address',
                words[words.index('link/ether') + 1]]

    def load(self, action, size=64, port=COUNT_PORT, more=()):
        command = [self.t.opts.load, '--cpu', self.cpus[1], '--size', size]
        if action == 'sink':
            command += ['--from', '%s:%d' % (HOST, port)]
        else:
            command += ['--to', '%s:%d' % (PEER, port)]
        return self.worker(self.host, *command, *more, action)

    def forwarder(self, path, mtu):
        """Between two interfaces, one in each namespace; configured."""
        name = self.new_name()
        if path.plane == 'tun':
            command = [self.t.opts.app, '--path', path.word, '--device',
                       NODE, '--name', name, '--netns', self.host.path,
                       '--peer-netns', self.far.path, 'forward']
        else:
            command = [self.t.opts.forwarder, '--plane', path.plane, '--mode',
                       path.mode, '--device', self.device(path)]
            command += ['--offloads'] if path.offloads else []
            command += ['%s@%s' % (name, ns.path)
                        for ns in (self.host, self.far)]
        worker = self.worker(self.host, *command)
        worker.interfaces = [(self.host, name), (self.far, name)]
        for (ns, name), address in zip(worker.interfaces, (HOST, PEER)):
            ns.ip('addr add %s/24 dev %s' % (address, name),
                  'link set %s mtu %d up' % (name, mtu))
        return worker

    def popen(self, *command, ns=None, **kwargs):
        """A process that says nothing of itself; ended by clear()."""
        process = self.t.popen(*command, ns=ns, **kwargs)
        self.others.append(process)
        return process

    def clear(self):
        """Ends them all; after an application its interfaces end, too."""
        for process in self.others:
            self.t.end_process(process)
        workers, self.workers, self.others = self.workers, [], []
        for worker in workers:
            worker.end()
        for ns, name in [i for w in workers for i in w.interfaces]:
            if self.far.has(name + 'far'):
                ns.ip('link del %s' % name)
            tt.wait_for(lambda: not ns.has(name), 5, 'end of ' + name)


def need(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        raise NotHere('needs ' + ' '.join(missing))


def processor_time(pid):
    """Seconds that a process has used."""
    return sum(int(n) for n in tt.stat_of(pid)[11:13]) / TICKS


def machine_busy():
    """(ticks, ticks of all) of all processors."""
    with open('/proc/stat') as f:
        n = [int(w) for w in f.readline().split()[1:9]]
    return sum(n) - n[3] - n[4], sum(n)


def stolen():
    """(ticks that the hypervisor took, ticks of all)."""
    with open('/proc/stat') as f:
        n = [int(w) for w in f.readline().split()[1:9]]
    return n[7], sum(n)


def wait_quiet(patience):
    """Waits until others have let the machine alone for a moment, if they do;
    what part of it they used last."""
    end = time.monotonic() + patience
    while True:
        before = machine_busy()
        time.sleep(0.3)
        used, total = [b - a for a, b in zip(before, machine_busy())]
        part = used / max(1, total)
        if part < 0.1 or time.monotonic() > end:
            return part
