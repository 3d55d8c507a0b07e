# SPDX-License-Identifier: MIT
"""A tundctl capture, and what tshark and its bytes say of it."""

import os
import signal
import struct
import subprocess

import tundtest as tt
from runlib import ctl
from tundtest import check, equal

FIELDS = ('frame.packet_flags_direction', 'frame.interface_queue',
          'frame.interface_id', 'frame.len', 'frame.cap_len', 'udp.dstport',
          'frame.drop_count', 'icmp.type', 'frame.comment')


class Capture:
    def __init__(self, t, name, *words, path=None, ok=True, ns=None,
                 control=None, stdout=subprocess.DEVNULL, prefix=()):
        Capture.count = getattr(Capture, 'count', 0) + 1
        self.path = path or '%s/capture%d.pcapng' % (tt.WORK, Capture.count)
        self.log = '%s/capture%d.log' % (tt.WORK, Capture.count)
        command = [*prefix, ctl(t), 'capture', name, *words, '--control',
                   control or t.daemon.control]
        if stdout == subprocess.DEVNULL:
            command += ['-w', self.path]
        with open(self.log, 'wb') as log:
            self.process = t.popen(*command, stdout=stdout, stderr=log, ns=ns)
        if ok:
            tt.wait_for(lambda: 'Ctrl-C' in self.said() or
                        self.process.poll() is not None, 10, 'the beginning')
            check(self.process.poll() is None, self.said())

    def said(self):
        with open(self.log) as f:
            return f.read()

    def wait(self, status=0):
        tt.wait_for(lambda: self.process.poll() is not None, 10, 'its end')
        equal(self.process.returncode, status, self.said())
        return self

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def packets(self, *fields, path=None):
        """By the real tshark: a dictionary for each packet."""
        out = subprocess.run(
            ['tshark', '-n', '-r', path or self.path, '-T', 'fields', '-E',
             'separator=|'] + [w for f in FIELDS + fields for w in ('-e', f)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, HOME=tt.WORK), check=False)
        equal(out.returncode, 0, out.stderr)
        return [dict(zip((f.rpartition('.')[2] for f in FIELDS + fields),
                         line.split('|')))
                for line in out.stdout.split('\n') if line]

    def blocks(self, path=None):
        """(type, body, {option: value}) for each, looked at byte by byte."""
        with open(path or self.path, 'rb') as f:
            data = f.read()
        at, found = 0, []
        while at < len(data):
            kind, size = struct.unpack_from('=II', data, at)
            equal(struct.unpack_from('=I', data, at + size - 4)[0], size,
                  'the length at a block\'s end')
            body = data[at + 8:at + size - 4]
            fixed = {0x0a0d0d0a: 16, 1: 8, 5: 12}.get(kind)
            if kind == 6:
                fixed = 20 + (struct.unpack_from('=I', body, 12)[0] + 3 & ~3)
            options, o = {}, fixed
            while o < len(body):
                code, n = struct.unpack_from('=HH', body, o)
                options[code] = body[o + 4:o + 4 + n]
                o += 4 + (n + 3 & ~3)
            found.append((kind, body, options))
            at += size
        equal(at, len(data), 'the last block is whole')
        return found

    def sizes(self, path=None):
        """(captured, whole) of each packet."""
        return [struct.unpack_from('=II', body, 12)
                for kind, body, _ in self.blocks(path) if kind == 6]

    def times(self):
        """Of each packet, in nanoseconds."""
        return [high << 32 | low for high, low in (
            struct.unpack_from('=II', body, 4)
            for kind, body, _ in self.blocks() if kind == 6)]

    def totals(self):
        """What the statistics block says: received, dropped, lost, written."""
        last = self.blocks()[-1]
        equal(last[0], 5, 'the last block')
        return [struct.unpack('=Q', last[2][code])[0]
                for code in (4, 5, 7, 8)]


def tshark_case(**kwargs):
    return tt.case(needs='tund', programs=('tshark',), **kwargs)


def to_host(port, size=7):
    return tt.udp('10.1.0.2', '10.1.0.1', 9, port, b'y' * size)
