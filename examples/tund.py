#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers pings on a new TUN interface, by tund's device file alone: all that
<tund/abi.h> says, in a language that cannot include it and with nothing but
its own library. It is an example of the ABI, not a binding.

    tund.py [--device PATH] [--plane direct|batch|single] [NAME]

direct  the daemon hands over a packet socket: one packet per call, which the
        daemon does not see
batch   the file, several packets per call
single  the file, one packet per call, as on the kernel's TUN"""

import argparse
import array
import fcntl
import os
import select
import signal
import socket
import struct
import sys

# The ioctls' numbers, as <asm-generic/ioctl.h> makes them; some machines
# (alpha, mips, powerpc, sparc) have others.
NONE, WRITE, READ = 0, 1, 2


def number(direction, kind, nr, size):
    return direction << 30 | size << 16 | kind << 8 | nr


TUNSETIFF = number(WRITE, ord('T'), 202, 4)
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000

# <tund/abi.h>
INFO = struct.Struct('=IIQ')  # struct tund_info: version, packet, abilities
MODE = struct.Struct('=II')  # struct tund_mode: flags, records
FD = struct.Struct('=iHH')  # struct tund_fd: socket, what, flags
RECORD = struct.Struct('=IHBBHHHH')  # struct tund_record: length, flags, vnet
TUND = 0xf6
TUND_IOC_INFO = number(READ, TUND, 1, INFO.size)
TUND_IOC_MODE = number(WRITE, TUND, 4, MODE.size)
TUND_IOC_FD = number(WRITE, TUND, 5, FD.size)
ABILITY_DIRECT, ABILITY_BATCH = 1 << 0, 1 << 1
MODE_BATCH = 1 << 1
FD_DIRECT = 1
ALIGN = 8
BATCH_MAX = 256 << 10
PACKET_MAX = 65553


def attach(fd, name):
    """TUNSETIFF with a struct ifreq; returns the interface's name."""
    request = bytearray(struct.pack('16sH22x', name.encode(),
                                    IFF_TUN | IFF_NO_PI))
    fcntl.ioctl(fd, TUNSETIFF, request)
    return request[:16].split(b'\0')[0].decode()


def abilities(fd):
    info = bytearray(INFO.size)
    fcntl.ioctl(fd, TUND_IOC_INFO, info)
    return INFO.unpack(info)[2]


def direct_socket(fd):
    """The packet socket, through a socketpair of our own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        fcntl.ioctl(fd, TUND_IOC_FD, FD.pack(theirs.fileno(), FD_DIRECT, 0))
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    return fds[0]


def read_records(data):
    """The packets of one read in batch mode."""
    at = 0
    while at < len(data):
        length = RECORD.unpack_from(data, at)[0]
        at += RECORD.size
        yield data[at:at + length]
        at += (length + ALIGN - 1) // ALIGN * ALIGN


def make_records(packets):
    records = bytearray()
    for packet in packets:
        records += bytes(-len(records) % ALIGN)
        records += RECORD.pack(len(packet), 0, 0, 0, 0, 0, 0, 0) + packet
    return records


def checksum(data):
    words = array.array('H', data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def reply(packet):
    """The reply to an IPv4 echo request, or None."""
    if len(packet) < 28 or packet[0] != 0x45 or packet[9] != 1 or \
            packet[20] != 8:
        return None
    icmp = bytearray(packet[20:])
    icmp[0], icmp[2:4] = 0, bytes(2)
    icmp[2:4] = struct.pack('=H', checksum(icmp))
    return packet[:12] + packet[16:20] + packet[12:16] + bytes(icmp)


def answers(packets):
    return [r for r in map(reply, packets) if r]


def serve(fd, batch):
    if batch:
        out = make_records(answers(read_records(os.read(fd, BATCH_MAX))))
        # Fewer bytes than given: a record failed, the next write says why.
        while out:
            taken = os.write(fd, out)
            if taken == len(out):
                break
            out = out[(taken + ALIGN - 1) // ALIGN * ALIGN:]
    else:
        for packet in answers([os.read(fd, PACKET_MAX)]):
            os.write(fd, packet)


def wait_and_serve(fd, batch):
    """Until a signal: it comes as a byte, so that none is waited over."""
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    for n in signal.SIGINT, signal.SIGTERM:
        signal.signal(n, lambda *_: None)
    while True:
        readable, _, _ = select.select([fd, wake], [], [])
        if wake in readable:
            return
        try:
            serve(fd, batch)
        except OSError as e:
            # Down: whoever asked will ask again.
            if e.errno != 5:
                raise


def main():
    parser = argparse.ArgumentParser(
        description='Answers IPv4 pings on a new TUN interface.')
    parser.add_argument('--device', default='/run/tund/dev/net/tun')
    parser.add_argument('--plane', default='direct',
                        choices=('direct', 'batch', 'single'))
    parser.add_argument('name', nargs='?', default='tun%d')
    opts = parser.parse_args()

    fd = os.open(opts.device, os.O_RDWR | os.O_CLOEXEC)
    name = attach(fd, opts.name)
    can = abilities(fd)
    packets = fd
    if opts.plane == 'direct':
        if not can & ABILITY_DIRECT:
            sys.exit('tund.py: this daemon hands out no packet sockets; '
                     'try --plane batch')
        packets = direct_socket(fd)
    elif opts.plane == 'batch':
        if not can & ABILITY_BATCH:
            sys.exit('tund.py: this daemon knows no batches; '
                     'try --plane single')
        fcntl.ioctl(fd, TUND_IOC_MODE, MODE.pack(MODE_BATCH, 0))
    print('interface: %s\nTry it: ip addr add 192.0.2.1/24 dev %s; ip link '
          'set %s up; ping 192.0.2.2' % (name, name, name), flush=True)
    wait_and_serve(packets, opts.plane == 'batch')


try:
    main()
except OSError as e:
    sys.exit('tund.py: %s: %s' % (e.filename or 'the device', e.strerror))
