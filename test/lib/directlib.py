# SPDX-License-Identifier: MIT
"""A program without any right that has a device of its own, and the packet
socket that it can ask for: what the tests of its confinement share."""

import ctypes
import errno
import fcntl
import socket
import struct
import time

import tundtest as tt
from tundtest import check, equal

NOBODY = 65534
TUN, TAP = 0x1001, 0x1002
TUND_IOC_VALUE, TUND_IOC_MODE = 0x4010f603, 0x4008f604
TUND_IOC_FD, TUND_IOC_DEVICE = 0x4008f605, 0xc0e0f606
TUND_IOC_CONFIG, TUND_IOC_LINK = 0x4030f607, 0x8028f608
TUNSETPERSIST, TUNSETOWNER = 0x400454cb, 0x400454cc
FD_DIRECT, FD_NETNS, FD_DEVICE_NETNS = 1, 2, 3
FD_NONBLOCK, FD_FRAMES = 1, 2
ABILITY_DIRECT, ABILITY_CONFIG, ABILITY_BYPASS = 1, 4, 8

SOL_PACKET = 263
ADD_MEMBERSHIP, DROP_MEMBERSHIP, RX_RING, TX_RING = 1, 2, 5, 13
FANOUT, QDISC_BYPASS = 18, 20
MR_PROMISC = 1
ETH_P_ALL, ETH_P_IP = 3, 0x0800
# None of these is IP: ARP, VLAN, IPX, QinQ, PPPoE, LLDP, an experiment's.
OTHERS = (0x0806, 0x8100, 0x8137, 0x88a8, 0x8864, 0x88cc, 0x88b5)
MARK = b'only for my own interface'
INDEXES = 64

SIOCGIFNAME, SIOCGIFFLAGS, SIOCGSKNS = 0x8910, 0x8913, 0x894c
IFF_RUNNING = 0x40

libc = ctypes.CDLL(None, use_errno=True)


def error(function, *args):
    """The errno, or 0."""
    try:
        function(*args)
    except OSError as e:
        return e.errno
    return 0


def raw_ioctl(fd, number, address):
    """The errno of an ioctl with any address, or 0."""
    if libc.ioctl(int(fd), ctypes.c_ulong(number),
                  ctypes.c_void_p(address)) < 0:
        return ctypes.get_errno()
    return 0


def set_value(tun, number, value):
    fcntl.ioctl(tun.fd, TUND_IOC_VALUE, struct.pack('IIQ', number, 0, value))


def ask_fd(tun, what, number, flags=0):
    fcntl.ioctl(tun.fd, TUND_IOC_FD, struct.pack('iHH', number, what, flags))


def direct(tun, frames=False):
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, its:
        ask_fd(tun, FD_DIRECT, its.fileno(), FD_NONBLOCK | (
            FD_FRAMES if frames else 0))
        return socket.socket(fileno=socket.recv_fds(ours, 1, 1)[1][0])


def frame(packet, protocol=ETH_P_IP, to=b'\x02\0\0\0\0\1', vnet=bytes(10)):
    """As a socket of TUND_FD_FRAMES takes it, with a sender of no meaning."""
    return (vnet + to + b'\x02\0\0\0\0\2' + struct.pack('!H', protocol) +
            packet)


def link_address(index, protocol, to=b''):
    return struct.pack('=HHiHBB8s', socket.AF_PACKET, socket.htons(protocol),
                       index, 1, 0, len(to), to)


def bind(sock, index, protocol=ETH_P_ALL):
    address = link_address(index, protocol)
    tt.syscall(libc.bind(sock.fileno(), address, len(address)), 'bind')


def own_index(sock):
    """The one beside lo; the socket is bound to it again."""
    return next(i for i in range(2, INDEXES) if not error(bind, sock, i))


def send(sock, data, index, protocol=ETH_P_IP, to=b'\x02\0\0\0\0\1'):
    address = link_address(index, protocol, to)
    return tt.syscall(libc.sendto(sock.fileno(), data, len(data), 0, address,
                                  len(address)), 'sendto')


def packets(sock):
    """All that waits."""
    found = []
    try:
        while True:
            found.append(sock.recv(2000, socket.MSG_DONTWAIT))
    except BlockingIOError:
        return found
    except OSError as e:  # told once: the interface went
        check(e.errno == errno.ENETDOWN, e)
        return found + packets(sock)


def running(ns, name, sock=None):
    """A packet that is sent before the interface runs may be lost, and so is
    one through a socket that has not been told that it does."""
    def told():
        request = fcntl.ioctl(sock, SIOCGIFFLAGS, b'tund'.ljust(40, b'\0'))
        return struct.unpack_from('H', request, 16)[0] & IFF_RUNNING
    ns.wait_running(name)
    if sock:
        tt.wait_for(told, 10, name + ' is running, as the socket is told')


def listener(ns, name, protocol):
    """A root's socket at an interface, behind whatever filters there."""
    with ns:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                          socket.htons(protocol))
        s.bind((name, protocol))
    return s


def promiscuous(index):
    return struct.pack('iHH8x', index, MR_PROMISC, 0)


class Scene:
    """A host with a wire, and a device that is nobody's own."""

    def __init__(self, t, flags=TUN):
        tun = tt.Tun(t.dev, attach=False)
        info = bytearray(16)
        fcntl.ioctl(tun.fd, tt.TUND_IOC_INFO, info)
        tun.close()
        self.abilities = struct.unpack('IIQ', info)[2]
        if not self.abilities & ABILITY_DIRECT:
            raise tt.Skip('the daemon hands out no packet sockets')
        self.t, self.flags = t, flags
        self.host, self.peer = t.netns('host'), t.netns('peer')
        t.wire(self.host, self.peer)
        self.give('own0')

    def give(self, name):
        tun = self.t.tun(name, self.flags, self.host)
        set_value(tun, TUNSETOWNER, NOBODY)
        set_value(tun, TUNSETPERSIST, 1)
        self.t.up(tun, self.host)
        tun.close()
        self.t.defer(self.take_away, name)

    def take_away(self, name):
        if self.host.has(name):
            tt.wait_for(lambda: not error(self.attach, name), 5,
                        'nobody has ' + name)
            tun = self.attached
            set_value(tun, TUNSETPERSIST, 0)
            tun.close()

    def attach(self, name='own0'):
        self.attached = tt.Tun(self.t.dev, name, self.flags, self.host)
        return self.attached

    def become_user(self):
        """Nobody, here, for good: attached."""
        tt.syscall(libc.setns(self.host.fd, tt.CLONE_NEWNET), 'setns')
        tt.become_nobody()
        with open('/proc/self/status') as f:
            caps = [line for line in f if line.startswith(('CapPrm',
                                                           'CapEff'))]
        check(all(int(c.split()[1], 16) == 0 for c in caps), caps)
        return tt.Tun(self.t.dev, 'own0', self.flags)

    def as_nobody(self, function, *args, sock=True, frames=False):
        """function(tun[, socket], *args), in a process without rights."""
        def body():
            tun = self.become_user()
            if sock:
                return function(tun, direct(tun, frames), *args)
            return function(tun, *args)
        return tt.in_child(body, deadline=15)

    def works(self):
        """A following user has the device, and both ways are open."""
        check(self.host.has('own0'), 'own0 is there')
        tt.wait_for(lambda: 'NO-CARRIER' in self.host.flags('own0'), 3,
                    'the one before has gone')
        self.host.ip('link set own0 up')
        equal(self.as_nobody(self.echo), 3, 'packets for the next user')

    @staticmethod
    def echo(tun, sock):
        """As the host's own user would: out to the socket, and back in."""
        count = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('10.1.0.1', 7007))
            s.settimeout(3)
            for i in range(3):
                s.sendto(b'out%d' % i, ('10.1.0.2', 8))
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    if any(b'out%d' % i in p for p in packets(sock)):
                        break
                else:
                    return count
                head = b''
                if tun.flags & 2:
                    mac = bytearray(40)
                    fcntl.ioctl(tun.fd, 0x8927, mac)
                    head = bytes(mac[18:24])
                sock.send(tt.udp('10.1.0.2', '10.1.0.1', 8, 7007, b'in', head))
                count += s.recv(100) == b'in'
        return count


def confined_case(**kwargs):
    def mark(function):
        return tt.case(needs='tund', root=True, **kwargs)(function)
    return mark
