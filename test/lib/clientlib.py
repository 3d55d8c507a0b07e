# SPDX-License-Identifier: MIT
"""libtunclient on each of its planes, called through tund-test-client: what a
test of it works with. It has no cases."""

import itertools
import os
import select
import subprocess
import time

import tundtest as tt
from tundtest import Failure, check, equal

TUN, TAP, MULTI_QUEUE = 1, 2, 0x100
NONBLOCK, RING = 0x10000, 0x20000
DIRECT, FILE, KERNEL = 1, 2, 3
PLANES = {'direct': DIRECT, 'file': FILE, 'kernel': KERNEL}
BATCH, ZERO_COPY, OFFLOAD, CONFIGURE, NO_DAEMON = 1, 2, 4, 8, 16
CSUM, TSO4, TSO6, ECN, USO = 1, 2, 4, 8, 0x60
CUT = 1
HOST, PEER, NET = '10.77.0.1', '10.77.0.2', '10.77.0.1/24'
HOST_PORT, PEER_PORT = 7001, 7002
MAC = b'\x02\0\0\0\0\x02'
FLOWS = 32
PROBES = itertools.count()


def digest(data):
    d = 0xcbf29ce484222325
    for byte in data:
        d = ((d ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return d


class Packet:
    """One that was received."""

    def __init__(self, word):
        *numbers, d, shown = word.split(':')
        (self.length, self.status, self.flags, self.gso_type, self.gso_size,
         self.csum_start, self.csum_offset) = (int(n) for n in numbers)
        self.digest, self.data = int(d, 16), bytes.fromhex(shown)

    def is_whole(self, data):
        return self.length == len(data) and self.digest == digest(data)


class Client:
    """tund-test-client, in a namespace; handle 0 unless one is named."""

    def __init__(self, t, plane, ns=None, device=None):
        self.t, self.plane = t, plane
        self.device = device or t.device_of(plane)
        self.p = t.popen(t.opts.helper, ns=ns, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.p_out = self.p.stdout.fileno()
        self.unread = b''

    def send(self, *words):
        self.p.stdin.write((' '.join(str(w) for w in words) + '\n').encode())
        self.p.stdin.flush()

    def answer(self, deadline=5):
        end = time.monotonic() + deadline * tt.tundnet.slack
        while b'\n' not in self.unread:
            ready, _, _ = select.select([self.p_out], [], [], max(
                0, end - time.monotonic()))
            if not ready:
                raise Failure('no answer within %.1f s: %s' % (
                    deadline * tt.tundnet.slack,
                    tt.process_state(self.p.pid)))
            part = os.read(self.p_out, 1 << 20)
            if not part:
                raise Failure('the client died: %s' % self.p.wait())
            self.unread += part
        line, _, self.unread = self.unread.partition(b'\n')
        return line.decode().strip()

    def call(self, *words):
        """The answer's words."""
        self.send(*words)
        return self.answer().split(' ')

    def result(self, *words):
        return int(self.call(*words)[0])

    def good(self, *words):
        """A call that must not fail; its result."""
        r = self.result(*words)
        if r < 0:
            handle = words[1] if len(words) > 1 else 0
            raise Failure('%s: %d (%s)' % (' '.join(str(w) for w in words), r,
                                           self.sentence(handle)))
        return r

    def fails(self, number, *words):
        equal(self.result(*words), -number, ' '.join(
            str(w) for w in words)[:60])

    def sentence(self, handle=0):
        return ' '.join(self.call('error', handle))

    # What many cases do.

    def open(self, handle=0, flags=0, **options):
        self.good('open', handle, 'device=' + self.device,
                  'plane=%d' % self.plane, flags,
                  *('%s=%d' % item for item in options.items()))

    def attach(self, name='line', kind=TUN, handle=0, flags=0, **options):
        self.open(handle, flags, **options)
        self.good('attach', handle, name, kind)
        return self

    def info(self, handle=0):
        return dict(zip(('r', 'plane', 'kind', 'multi_queue', 'abilities',
                         'offloads'), map(int, self.call('info', handle))))

    def read(self, handle=0, size=65553):
        """(result, digest, first bytes)"""
        return parse_read(self.call('read', handle, size))

    def packets(self, *words):
        r, *words = self.call(*words)
        check(int(r) == len(words), 'result %s for %d packets' % (
            r, len(words)))
        return [Packet(w) for w in words]

    def poll(self, events=select.POLLIN, timeout=5000, handle=0):
        return int(self.call('poll', handle, events, timeout)[1])


def parse_read(words):
    r = int(words[0])
    if r <= 0:
        return r, None, None
    d, _, shown = words[1].partition(':')
    return r, int(d, 16), bytes.fromhex(shown)


def line_case(**kwargs):
    """A case for each plane: function(t, plane)."""
    def mark(function):
        for name, plane in PLANES.items():
            def on_plane(t, plane=plane):
                t.device_of = lambda p: device_of(t, p)
                function(t, plane)
            on_plane.__name__ = '%s_%s' % (function.__name__, name)
            tt.case(root=True, **kwargs)(on_plane)
        return function
    return mark


def device_of(t, plane):
    if plane != KERNEL:
        return t.dev
    node = '%s/kernel-tun' % tt.WORK
    if not os.path.exists(node):
        if not os.path.exists('/dev/net/tun'):
            raise tt.Skip('no TUN in this kernel')
        node = t.kernel_device('/dev/net/tun')
    return node


class Line:
    """A client whose interface is up, with an address, in the test's own
    namespace, and the host's UDP socket."""

    def __init__(self, t, plane, kind=TUN, name='line', ns=None, **options):
        self.t, self.kind, self.name = t, kind & 3, name
        self.ns = ns or t.home
        self.client = Client(t, plane, self.ns)
        self.udp = self.ns.socket()
        t.defer(self.udp.close)
        self.udp.bind(('', HOST_PORT))
        self.udp.settimeout(5 * tt.tundnet.slack)
        self.client.attach(name, kind, **options)
        self.up()

    def up(self):
        self.ns.ip('addr replace %s dev %s' % (NET, self.name),
                   'link set %s up' % self.name,
                   'neigh replace %s lladdr 02:00:00:00:00:02 dev %s' % (
                       PEER, self.name))
        self.wait_passing()

    def wait_passing(self):
        """The kernel tells the other end a moment later that it is up."""
        def passes():
            return self.client.result('write', 0, self.packet(b'').hex()) > 0
        tt.wait_for(passes, 5, 'a packet passes')

    def mac(self):
        return self.t.mac(self.name, self.ns) if self.kind == TAP else None

    def packet(self, data, port=HOST_PORT):
        """From the peer to the host."""
        return tt.udp(PEER, HOST, PEER_PORT, port, data, mac=self.mac())

    def host_sends(self, data):
        self.udp.sendto(data, (PEER, PEER_PORT))

    def host_gets(self, *datas):
        for data in datas:
            while True:
                got = self.udp.recv(70000)
                if got:
                    break
            check(got == data, 'the host got %r, want %r' % (
                got[:40], data[:40]))

    def payload(self, shown):
        """Of what the host sent."""
        found = tt.udp_payload(shown, tap=self.kind == TAP)
        check(found, 'no UDP: %s' % shown.hex())
        return found[1]

    def send_flows(self, payload):
        for i in range(FLOWS):
            with self.ns.socket() as s:
                s.sendto(payload, (PEER, 2000 + i))

    def probes_come(self, handle):
        """Whether all flows come to the queue: one that is closed takes some
        until its end is known, and they are lost with it. One that comes late
        is taken for no other."""
        probe, got = b'probe %d' % next(PROBES), 0
        self.send_flows(probe)
        while got < FLOWS and self.client.poll(
                timeout=100, handle=handle) & select.POLLIN:
            got += self.payload(self.client.read(handle)[2]) == probe
        return got == FLOWS

    def flows(self, handles, ring=False):
        """Which queues get something; the packet of each flow comes once."""
        got = {}
        self.send_flows(b'flow')

        def read_all():
            for handle in handles:
                while self.client.poll(timeout=0,
                                       handle=handle) & select.POLLIN:
                    if ring:
                        packet, = self.client.packets('ring', handle, 1)
                        self.client.good('release', handle, 1)
                        shown = packet.data
                    else:
                        shown = self.client.read(handle)[2]
                    if not self.payload(shown).startswith(b'probe'):
                        equal(self.payload(shown), b'flow', 'payload')
                        got[handle] = got.get(handle, 0) + 1
            return sum(got.values()) >= FLOWS
        tt.wait_for(read_all, 2, lambda: 'packets of all flows: %r' % got)
        read_all()
        equal(sum(got.values()), FLOWS, 'packets')
        return set(got)
