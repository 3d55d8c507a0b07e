# SPDX-License-Identifier: MIT
"""TCP through two OpenVPN processes, TLS and the default cipher: iperf3. On
the kernel's TUN and in each way on tund's."""

import json

import scene
from figures import KERNEL, Metric, Table
from scene import tt

METRICS = [
    Metric('bits_per_second', 'Mbit/s', '%.0f', main=True, scale=1e-6),
    Metric('openvpn_cpu', 's/GB', '%.1f', scale=1e9),
    Metric('repeated_segments', 'repeated', '%.0f'),
]
ABOUT = '''iperf3 through two OpenVPN processes, TLS with the default cipher,
one in each network namespace. `plain file`: OpenVPN as it is, on the device
file; `run`: under `tundctl run`, on that plane. `s/GB`: what the two used of
the processors for 1e9 bytes.'''
NEEDS = ('openvpn', 'openssl', 'iperf3', 'ss')


class Way:
    """plane: of `tundctl run`, or None for OpenVPN as it is."""

    def __init__(self, name, plane=None):
        self.name, self.plane = name, plane


WAYS = {'kernel': Way(KERNEL), 'direct': Way('run direct', 'direct'),
        'file': Way('run file', 'file'), 'plain': Way('plain file')}
NAMES = [way.name for way in WAYS.values()]


class Pair:
    """Two namespaces with a wire, and what OpenVPN needs in both."""

    def __init__(self, s, kind='tun', arguments=(), during='', seconds=3):
        self.s, self.kind, self.arguments = s, kind, list(arguments)
        self.during, self.seconds = during, seconds
        self.ns = s.host, s.far
        if not s.host.has('wire'):
            s.t.wire(*self.ns)
        self.certs = [certificate(n) for n in ('server', 'client')]

    def start(self, way):
        pair = []
        for i in (0, 1):
            path = '%s/openvpn%d.log' % (tt.WORK, i)
            with open(path, 'wb') as log:
                p = self.s.popen(*self.command(way, i), ns=self.ns[i],
                                 stdout=log, stderr=log)
            pair.append((p, path))
        for p, path in pair:
            tt.wait_for(lambda: started(p, path), 20, path)
        return [p for p, _ in pair]

    def command(self, way, i):
        cert, key, _ = self.certs[i]
        t, tun = self.s.t, self.kind == 'tun'
        mine, other = '10.8.0.%d' % (i + 1), '10.8.0.%d' % (2 - i)
        prefix = [t.opts.tundctl, 'run', '--device', t.dev, '--plane',
                  way.plane, '--'] if way.plane else []
        return prefix + [
            'openvpn', '--dev', 'vpn%d' % i, '--dev-type', self.kind,
            '--dev-node', scene.NODE if way.name == KERNEL else t.dev,
            '--local', '10.9.0.%d' % (i + 1), '--remote',
            '10.9.0.%d' % (2 - i), '--ifconfig', mine,
            other if tun else '255.255.255.0', '--cert', cert, '--key', key,
            '--peer-fingerprint', self.certs[1 - i][2], '--verb', 3,
            '--disable-dco', *self.arguments,
            *(['--tls-client'] if i else ['--tls-server', '--dh', 'none'])]

    def measure(self, way):
        """For a table of METRICS."""
        pair = self.start(way)
        before = processor_time(pair)
        end = self.iperf()
        used = processor_time(pair) - before
        for p in pair:
            p.terminate()
            tt.equal(p.wait(10), 0, 'status of openvpn')
        for i in (0, 1):
            tt.wait_for(lambda: not self.ns[i].has('vpn%d' % i), 5, 'its end')
        return {
            'bits_per_second': end['sum_received']['bits_per_second'],
            'openvpn_cpu': used / end['sum_received']['bytes'],
            'repeated_segments': end['sum_sent']['retransmits']}

    def iperf(self):
        beside = self.s.popen('sh', '-c', self.during) if self.during else None
        said = iperf(self.s, '10.8.0.2', 1, self.seconds)
        if beside:
            beside.wait(20)
        return said


def started(process, path):
    with open(path, errors='replace') as f:
        said = f.read()
    tt.check(process.poll() is None, said)
    return 'Initialization Sequence Completed' in said


def certificate(name):
    """(certificate, key, SHA-256 fingerprint)"""
    cert, key = ['%s/%s.%s' % (tt.WORK, name, x) for x in ('crt', 'key')]
    tt.run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
           'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj',
           '/CN=' + name, '-out', cert, '-keyout', key)
    out = tt.run('openssl', 'x509', '-in', cert, '-noout', '-fingerprint',
                 '-sha256')
    return cert, key, out.strip().partition('=')[2]


def processor_time(pair):
    return sum(scene.processor_time(p.pid) for p in pair)


def iperf(s, address, streams, seconds):
    """What its client says in the end; the server is in the far namespace."""
    server = s.popen('iperf3', '-s', '-1', '-B', address, ns=s.far, stdout=-3)
    with s.far:
        tt.wait_for(lambda: ':5201' in tt.run('ss', '-Hltn'), 5, 'listening')
    with s.host:
        said = json.loads(tt.run('iperf3', '-c', address, '-J', '-t', seconds,
                                 '-P', streams, '--connect-timeout', 2000,
                                 ok=False))
    tt.check('error' not in said, said.get('error'))
    server.wait(10)
    tt.check(said['end']['sum_received']['bytes'], 'nothing arrived')
    return said['end']


def table(title='OpenVPN end to end'):
    return Table('openvpn', title, [], METRICS, about=ABOUT)


def run(s, plan):
    result = table()
    try:
        scene.need(*NEEDS)
    except scene.NotHere as e:
        result.leave_out('all', str(e))
        return result
    pair = Pair(s, seconds=1 if plan.quick else 3)
    plan.alternate(s, result, [(way, {}) for way in WAYS.values()
                               if plan.wants(way)], pair.measure)
    return result
