# SPDX-License-Identifier: MIT
"""The places where the benchmark measures: namespaces, an application on one
path, loads beside it, all counting in the same window of time. It knows no
targets and prints nothing."""

import json
import os
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

OFFLOADS = {'tx checksum': 'tx-checksumming',
            'tso': 'tcp-segmentation-offload',
            'gso': 'generic-segmentation-offload',
            'gro': 'generic-receive-offload'}

# Where the application runs and where the loads do, if there are two.
APP_CPU, LOAD_CPU = 0, 1


class NotHere(Exception):
    """A path that cannot be had on this machine or with this build."""


class Path:
    """name: on the screen and in the results; word: bench-app's; device:
    'kernel', 'tund' or 'veth'; batch: packets at once."""

    def __init__(self, name, word, device, batch=1, about=''):
        self.name, self.word, self.device = name, word, device
        self.batch, self.about = batch, about


PATHS = [
    Path('kernel TUN', 'tun', 'kernel', 1, 'read and write'),
    Path('direct single', 'socket-single', 'tund', 1),
    Path('direct batch', 'socket-batch', 'tund', 64),
    Path('direct ring', 'socket-ring', 'tund', 64),
    Path('file single', 'tun', 'tund', 1),
    Path('bare veth batch', 'veth-batch', 'veth', 64),
    Path('bare veth ring', 'veth-ring', 'veth', 64),
    Path('bare veth TX ring', 'veth-tx-ring', 'veth', 64),
]


class Worker:
    """A process of the benchmark that has said that it is ready."""

    def __init__(self, t, ns, *command):
        self.command = [str(c) for c in command]
        with ns:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
        t.defer(self.end)
        words = self.process.stdout.readline().split()
        if words[:1] != ['ready']:
            self.fail()
        self.name = words[1] if len(words) > 1 else ''

    def fail(self):
        _, said = self.process.communicate(timeout=10)
        said = said.strip()
        if self.process.returncode == EXIT_NOT_HERE:
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
        self.serial = 0
        self.offloads = {}
        cpus = sorted(os.sched_getaffinity(0))
        self.cpus = (cpus[APP_CPU], cpus[LOAD_CPU]) if len(cpus) > 1 else \
            (-1, -1)

    def device(self, path):
        return NODE if path.device == 'kernel' else self.t.dev

    def app(self, path, action, size=64, more=()):
        """The application, attached, its interface up and with a route."""
        self.serial += 1
        name = 'b%d' % self.serial
        command = [self.t.opts.app, '--path', path.word, '--batch', path.batch,
                   '--cpu', self.cpus[0], '--size', size, '--from', PEER,
                   '--to', HOST, '--device', self.device(path), *more]
        if path.device == 'veth':
            command += self.bare_veth(name)
        else:
            command += ['--name', name]
        worker = Worker(self.t, self.far if path.device == 'veth' else
                        self.host, *command, action)
        worker.interface = name
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
        return Worker(self.t, self.host, *command, *more, action)

    def gone(self, *workers):
        """After the end of an application: its interface is, too."""
        for worker in workers:
            worker.end()
            name = getattr(worker, 'interface', None)
            if name and self.host.has(name):
                self.host.ip('link del %s' % name, ok=False)
            if name:
                tt.wait_for(lambda: not self.host.has(name), 5, 'its end')


def machine_busy():
    """(ticks, ticks of all) of all processors."""
    with open('/proc/stat') as f:
        n = [int(w) for w in f.readline().split()[1:9]]
    return sum(n) - n[3] - n[4], sum(n)


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
