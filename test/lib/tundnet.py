# SPDX-License-Identifier: MIT
"""What a test touches: network namespaces, devices, packets, processes, and
predicates on them. It runs no case and knows no daemon: see tundtest.py."""

import ctypes
import errno
import fcntl
import hashlib
import mmap
import os
import pickle
import platform
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

TUNSETIFF = 0x400454ca
TUNGETFEATURES = 0x800454cf
TUNGETIFF = 0x800454d2
TUND_IOC_INFO = 0x8010f601
TUND_IOC_STATS = 0x80a8f602
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000

# The order of enum counter in helper.h.
COUNTERS = ('ready tx tx_bytes tx_errors tx_errno rx rx_bytes rx_other '
            'corrupt reordered lost rx_errors rx_errno eintr events pollerr '
            'done calls largest').split()

# enum tund_drop in tund/abi.h.
DROPS = {0: 'queue_full', 1: 'socket', 2: 'backlog', 3: 'detached',
         4: 'too_small', 5: 'oversize', 8: 'down', 9: 'invalid', 10: 'mtu',
         11: 'nobufs', 12: 'error', 13: 'source', 14: 'rate'}

SYSCALLS = {
    'x86_64': {'read': (0, 19), 'write': (1, 20), 'poll': (7, 271),
               'select': (23, 270), 'epoll': (232, 281, 441),
               'open': (2, 257), 'ioctl': (16,)},
    'aarch64': {'read': (63, 65), 'write': (64, 66), 'poll': (73,),
                'select': (72,), 'epoll': (22, 441), 'open': (56,),
                'ioctl': (29,)},
}.get(platform.machine(), {})

libc = ctypes.CDLL(None, use_errno=True)

# Every deadline is multiplied by this: --slack, for slow (sanitized) builds.
slack = 1.0


class Failure(Exception):
    """An assertion of a test that does not hold."""


class Skip(Exception):
    """What this system or device cannot show."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, want, what):
    if got != want:
        raise Failure('%s: got %r, want %r' % (what, got, want))


def raises(number, what, function, *args):
    """function(*args) must fail with the errno given (or one of a tuple)."""
    numbers = number if isinstance(number, tuple) else (number,)
    try:
        result = function(*args)
    except OSError as e:
        check(e.errno in numbers, '%s: %s, want %s' % (
            what, errno.errorcode.get(e.errno, e.errno),
            '/'.join(errno.errorcode[n] for n in numbers)))
        return
    raise Failure('%s: returned %r, want %s' % (
        what, result, '/'.join(errno.errorcode[n] for n in numbers)))


def wait_for(predicate, deadline, what, interval=0.004):
    """Calls predicate until it is true; its last value is returned."""
    end = time.monotonic() + deadline * slack
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure('not within %.1f s: %s' % (
                deadline * slack, what() if callable(what) else what))
        time.sleep(interval)


def bounded(function, *args, seconds=2):
    """function(*args), which must not wait: SIGALRM ends it and fails."""
    def late(*_):
        raise Failure('%s waits' % getattr(function, '__name__', function))
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds * slack)
    try:
        return function(*args)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(*args, ok=True, **kwargs):
    """Runs a command; its output, which is also shown when it fails."""
    p = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True,
                       stdin=subprocess.DEVNULL, check=False, **kwargs)
    if ok and p.returncode:
        raise Failure('%s: exit %d\n%s' % (
            ' '.join(str(a) for a in args), p.returncode, p.stdout))
    return p.stdout


def syscall(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, '%s: %s' % (what, os.strerror(number)))
    return result


def unshare(flags):
    syscall(libc.unshare(flags), 'unshare')


def mount(source, target, kind, flags=0, data=None):
    def text(s):
        return s.encode() if s is not None else None
    syscall(libc.mount(text(source), text(target), text(kind),
                       ctypes.c_ulong(flags), text(data)), 'mount')


class Netns:
    """A network namespace; `with ns:` the calling thread is in it."""

    def __init__(self, name=None, ipv6=False):
        self.name = name
        self.stack = []
        if name is None:  # the test's own
            self.path = '/proc/%d/ns/net' % os.getpid()
        else:
            run('ip', 'netns', 'add', name)
            self.path = '/run/netns/' + name
        self.fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        with self:
            for which in ('all', 'default'):
                path = '/proc/sys/net/ipv6/conf/%s/disable_ipv6' % which
                if os.path.exists(path):
                    with open(path, 'w') as f:
                        f.write('0' if ipv6 else '1')
        self.ip('link set lo up')
        self.own = set(self.interfaces())

    def __enter__(self):
        self.stack.append(os.open('/proc/thread-self/ns/net', os.O_RDONLY))
        syscall(libc.setns(self.fd, CLONE_NEWNET), 'setns')
        return self

    def __exit__(self, *args):
        before = self.stack.pop()
        try:
            syscall(libc.setns(before, CLONE_NEWNET), 'setns')
        finally:
            os.close(before)

    def ip(self, *lines, ok=True):
        """Each line is a command of ip(8); one process runs them all."""
        with self:
            p = subprocess.run(['ip', '-force', '-batch', '-'],
                               input='\n'.join(lines) + '\n', text=True,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
        if ok and p.returncode:
            raise Failure('ip %s: %s' % ('; '.join(lines), p.stdout))
        return p.stdout

    def interfaces(self):
        with self:
            return [name for _, name in socket.if_nameindex()]

    def has(self, name):
        return name in self.interfaces()

    def wait_running(self, name):
        """A packet that is sent before the interface runs is lost. A busy
        kernel may take seconds to say that it does."""
        wait_for(lambda: 'state UP' in self.ip('link show ' + name), 10,
                 name + ' is running')

    def remember(self):
        """What is here now is the test's and may stay."""
        self.own |= set(self.interfaces())

    def socket(self, kind=socket.SOCK_DGRAM, family=socket.AF_INET):
        with self:
            return socket.socket(family, kind)

    def ifstat(self, name):
        """The interface's counters, as in /proc/net/dev."""
        with self, open('/proc/thread-self/net/dev') as f:
            for line in f:
                who, _, rest = line.partition(':')
                if who.strip() == name:
                    n = [int(w) for w in rest.split()]
                    return {'rx_bytes': n[0], 'rx_packets': n[1],
                            'rx_errors': n[2], 'rx_dropped': n[3],
                            'tx_bytes': n[8], 'tx_packets': n[9],
                            'tx_errors': n[10], 'tx_dropped': n[11]}
        raise Failure('no interface %s' % name)

    def snmp(self, group, field):
        """A counter of /proc/net/snmp, or of snmp6 with group Udp6, Ip6."""
        with self:
            if group.endswith('6'):
                with open('/proc/thread-self/net/snmp6') as f:
                    rows = dict(line.split() for line in f)
                return int(rows[group + field])
            with open('/proc/thread-self/net/snmp') as f:
                rows = [line.split() for line in f
                        if line.startswith(group + ':')]
        return int(rows[1][rows[0].index(field)])

    def flags(self, name):
        """The words in < > of ip link, e.g. UP, LOWER_UP."""
        line = self.ip('link show dev %s' % name)
        return line[line.index('<') + 1:line.index('>')].split(',')

    def close(self):
        os.close(self.fd)
        if self.name:
            run('ip', 'netns', 'del', self.name)


class Tun:
    """A descriptor of the device file, attached unless attach is False."""

    def __init__(self, path, name='', flags=IFF_TUN | IFF_NO_PI, ns=None,
                 attach=True, mode=os.O_RDWR):
        if ns:
            with ns:
                self.fd = os.open(path, mode | os.O_CLOEXEC)
        else:
            self.fd = os.open(path, mode | os.O_CLOEXEC)
        self.name = None
        self.flags = flags
        if attach:
            try:
                self.attach(name, flags)
            except BaseException:
                self.close()
                raise

    def fileno(self):
        return self.fd

    def attach(self, name='', flags=IFF_TUN | IFF_NO_PI):
        request = bytearray(struct.pack('16sH22x', name.encode(), flags))
        fcntl.ioctl(self.fd, TUNSETIFF, request)
        self.flags = flags
        self.name = request[:16].split(b'\0')[0].decode('latin-1')
        return self.name

    def getiff(self):
        request = bytearray(40)
        fcntl.ioctl(self.fd, TUNGETIFF, request)
        name, flags = struct.unpack_from('16sH', request)
        return name.split(b'\0')[0].decode('latin-1'), flags

    def features(self):
        answer = bytearray(4)
        fcntl.ioctl(self.fd, TUNGETFEATURES, answer)
        return struct.unpack('I', answer)[0]

    def stats(self):
        """TUND_IOC_STATS; drops by name, those not 0."""
        answer = bytearray(168)
        fcntl.ioctl(self.fd, TUND_IOC_STATS, answer)
        n = struct.unpack('21Q', answer)
        s = dict(zip(('rx_packets', 'rx_bytes', 'tx_packets', 'tx_bytes',
                      'queued'), n))
        s['drops'] = {DROPS.get(i, 'unknown_%d' % i): v
                      for i, v in enumerate(n[5:]) if v}
        s['to_app'], s['to_host'] = sum(n[5:13]), sum(n[13:])
        return s

    def read(self, size=70000):
        return os.read(self.fd, size)

    def write(self, data):
        return os.write(self.fd, data)

    def blocking(self, value):
        os.set_blocking(self.fd, value)

    def poll(self, events=select.POLLIN | select.POLLOUT, timeout=0):
        p = select.poll()
        p.register(self.fd, events)
        found = p.poll(timeout)
        return found[0][1] if found else 0

    def drain(self):
        """All that is queued now."""
        packets = []
        was = os.get_blocking(self.fd)
        self.blocking(False)
        try:
            while True:
                packets.append(self.read())
        except BlockingIOError:
            pass
        finally:
            self.blocking(was)
        return packets

    def close(self):
        if self.fd >= 0:
            try:
                os.close(self.fd)
            except OSError as e:  # of a FUSE file whose daemon is gone
                if e.errno not in (errno.ENOTCONN, errno.ECONNABORTED):
                    raise
            self.fd = -1


def ip_sum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp(src, dst, sport, dport, payload, mac=None, pi=False):
    """An IPv4 packet; with mac an Ethernet frame to it; pi: 4 bytes more."""
    a, b = socket.inet_aton(src), socket.inet_aton(dst)
    size = 8 + len(payload)
    body = struct.pack('!HHHH', sport, dport, size, 0) + payload
    check_sum = ip_sum(a + b + struct.pack('!HH', 17, size) + body) or 0xffff
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + size, 0, 0x4000, 64, 17,
                       0, a, b)
    head = head[:10] + struct.pack('!H', ip_sum(head)) + head[12:]
    packet = head + body[:6] + struct.pack('!H', check_sum) + body[8:]
    if mac:
        packet = mac + b'\x02\0\0\0\0\x02' + b'\x08\0' + packet
    return (b'\0\0\x08\0' if pi else b'') + packet


def udp_payload(packet, tap=False, pi=False):
    """(destination port, payload) of an IPv4 UDP packet, else None."""
    packet = packet[(4 if pi else 0) + (14 if tap else 0):]
    if len(packet) < 28 or packet[0] != 0x45 or packet[9] != 17:
        return None
    return struct.unpack_from('!H', packet, 22)[0], packet[28:]


class Counters:
    """The helper's counters, read while it runs."""

    def __init__(self, path):
        with open(path, 'wb') as f:
            f.truncate(len(COUNTERS) * 8)
        with open(path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def __getattr__(self, name):
        try:
            at = COUNTERS.index(name)
        except ValueError:
            raise AttributeError(name) from None
        return struct.unpack_from('Q', self.map, at * 8)[0]

    def show(self):
        return ' '.join('%s=%d' % (n, getattr(self, n)) for n in COUNTERS
                        if getattr(self, n))


# Processes, seen from outside.

def stat_of(pid, tid=None):
    """The fields of /proc/PID/stat behind the name: [0] is the state."""
    try:
        with open('/proc/%d/task/%d/stat' % (pid, tid or pid)) as f:
            return f.read().rpartition(')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pid):
    s = stat_of(pid)
    return s is not None and s[0] not in 'ZX'


def tasks(pid):
    try:
        return sorted(int(t) for t in os.listdir('/proc/%d/task' % pid))
    except FileNotFoundError:
        return []


def current_call(pid, tid=None):
    """(number, [arguments]) of the call that the thread waits in, or None."""
    try:
        with open('/proc/%d/task/%d/syscall' % (pid, tid or pid)) as f:
            words = f.read().split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if len(words) < 9:
        return None
    return int(words[0]), [int(w, 16) for w in words[1:7]]


def blocked_in(pid, call, fd=None, tid=None):
    """Whether the thread sleeps in the call (a key of SYSCALLS), on fd."""
    s, now = stat_of(pid, tid), current_call(pid, tid)
    return bool(s and s[0] in 'SD' and now and
                now[0] in SYSCALLS.get(call, ()) and
                (fd is None or now[1][0] == fd))


def wait_blocked(pid, call, deadline=5, fd=None):
    wait_for(lambda: blocked_in(pid, call, fd), deadline,
             lambda: 'process %d blocked in %s: %s %s' % (
                 pid, call, stat_of(pid), current_call(pid)))


class Child:
    """A forked child of the test that runs function and hands back what it
    returns; an OSError comes back as one."""

    def __init__(self, function, *args):
        self.pipe, writer = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                try:
                    answer = (True, function(*args))
                except OSError as e:
                    answer = (False, (e.errno, str(e)))
                except BaseException:
                    answer = (False, traceback.format_exc())
                os.write(writer, pickle.dumps(answer))
            finally:
                os._exit(0)
        os.close(writer)
        self.code = None

    def poll(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def wait(self, deadline=5):
        wait_for(lambda: self.poll() is not None, deadline,
                 lambda: 'end of child %d, in %s %s' % (
                     self.pid, stat_of(self.pid)[:1], current_call(self.pid)))
        return self.code

    def result(self, deadline=5):
        end = time.monotonic() + deadline * slack
        ready, _, _ = select.select([self.pipe], [], [],
                                    max(0, end - time.monotonic()))
        check(ready, 'no answer of child %d within %.1f s, in %s' % (
            self.pid, deadline * slack, current_call(self.pid)))
        data = b''
        while True:
            part = os.read(self.pipe, 65536)
            if not part:
                break
            data += part
        self.wait(deadline)
        check(data, 'child %d died: %s' % (self.pid, self.code))
        good, value = pickle.loads(data)
        if good:
            return value
        if isinstance(value, tuple):
            raise OSError(*value)
        raise Failure('in a child:\n' + value)

    def kill(self, number=signal.SIGKILL):
        if self.poll() is None:
            os.kill(self.pid, number)

    def close(self):
        os.close(self.pipe)


def in_child(function, *args, deadline=10):
    """function(*args), in a process of its own."""
    child = Child(function, *args)
    try:
        return child.result(deadline)
    finally:
        child.kill()
        child.wait()
        child.close()


class Transfer:
    """size bytes over TCP, in threads of their own, with a digest."""

    def __init__(self, server_ns, client_ns, address, size, seed=1,
                 port=5001):
        self.size, self.received, self.error = size, 0, None
        block = random.Random(seed).randbytes(1 << 16)
        self.blocks = [block[i:] + block[:i] for i in range(0, 64, 4)]
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.listener = server_ns.socket(socket.SOCK_STREAM, family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(1)
        self.client = client_ns.socket(socket.SOCK_STREAM, family)
        for s in (self.listener, self.client):
            s.settimeout(60)
        self.to = (address, port)
        self.sent_digest = hashlib.sha256()
        self.digest = hashlib.sha256()
        self.threads = [threading.Thread(target=self.guard, args=(f,),
                                         daemon=True)
                        for f in (self.serve, self.send)]
        for thread in self.threads:
            thread.start()

    def guard(self, function):
        try:
            function()
        except OSError as e:
            self.error = self.error or e

    def serve(self):
        s, _ = self.listener.accept()
        s.settimeout(60)
        with s:
            while True:
                data = s.recv(1 << 16)
                if not data:
                    return
                self.digest.update(data)
                self.received += len(data)

    def send(self):
        self.client.connect(self.to)
        left, n = self.size, 0
        while left > 0:
            data = self.blocks[n % len(self.blocks)][:left]
            self.sent_digest.update(data)
            self.client.sendall(data)
            left -= len(data)
            n += 1
        self.client.shutdown(socket.SHUT_WR)

    def wait(self, deadline):
        wait_for(lambda: not any(x.is_alive() for x in self.threads),
                 deadline, lambda: 'TCP: %d of %d bytes, %s' % (
                     self.received, self.size, self.error))
        check(not self.error, 'TCP: %s after %d of %d bytes' % (
            self.error, self.received, self.size))
        equal(self.received, self.size, 'bytes received over TCP')
        equal(self.digest.hexdigest(), self.sent_digest.hexdigest(),
              'digest of %d bytes over TCP' % self.size)
        self.close()

    def close(self):
        for s in (self.listener, self.client):
            s.close()


def become_nobody():
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)


def steal_descriptor(pid, number):
    """A copy of another process's descriptor (pidfd_getfd)."""
    pidfd = os.pidfd_open(pid)
    try:
        return syscall(libc.syscall(438, pidfd, number, 0), 'pidfd_getfd')
    finally:
        os.close(pidfd)
