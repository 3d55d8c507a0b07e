# SPDX-License-Identifier: MIT
"""What the tests of real programs share: the ways in which a program meets
the device, the programs themselves as processes, and doc/programs.md, which
each case is held to. It knows no program but by name.

The ways:
    kernel      the kernel's own device, the control; by hand, without --tund
    plain       tund's file in place of /dev/net/tun
    preload     the same, and libtunclient-preload.so
    run-file    the same, under `tundctl run --plane file`
    run-direct  the same, under `tundctl run --plane auto`"""

import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'lib'))
import tundtest as tt  # noqa: E402

TABLE = os.path.join(HERE, '..', '..', '..', 'doc', 'programs.md')
WAYS = ('plain', 'preload', 'run-file', 'run-direct')
NODE = '/dev/net/tun'
MEGABYTE = 1 << 20
MS_BIND, MS_REC, MS_MOVE, MNT_DETACH = 0x1000, 0x4000, 0x2000, 2

# Debian's package of each program in the table.
PACKAGES = {
    'openvpn': 'openvpn', 'wireguard-go': 'wireguard-go', 'socat': 'socat',
    'ip tuntap': 'iproute2', 'ocserv': 'ocserv',
    'openconnect': 'openconnect', 'qemu': 'qemu-system-x86',
    'systemd-networkd': 'systemd',
}
# And of what has to be there, where the name is another.
EXECUTABLES = {'wg': 'wireguard-tools', 'ip': 'iproute2',
               'qemu-system-x86_64': 'qemu-system-x86', 'ocpasswd': 'ocserv',
               'busybox': 'busybox-static', 'ping': 'iputils-ping',
               '/lib/systemd/systemd-networkd': 'systemd'}

rows = []


def read_table():
    """{(program, use): {'version', each way, 'remark'}}"""
    table = {}
    with open(TABLE) as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip('|').split('|')]
            if not line.startswith('|') or cells[0] == 'program' or \
                    set(cells[0]) == {'-'}:
                continue
            tt.equal(len(cells), 8, 'cells of "%s"' % line.strip())
            table[cells[0], cells[1]] = dict(
                zip(('version',) + WAYS + ('remark',), cells[2:]))
    return table


def cell_reason(cell):
    """None of a yes; what has to be in the failure of a "no: reason"."""
    if cell == 'yes':
        return None
    tt.check(re.fullmatch('no: .+', cell),
             'doc/programs.md says "%s" and not yes or no: reason' % cell)
    reason = cell[4:]
    number = getattr(tt.errno, reason, None)
    return os.strerror(number) if number else reason


def version(program):
    out = tt.run('dpkg-query', '-W', '-f=${Version}', PACKAGES[program],
                 ok=False)
    return re.split('[-+]', out.partition(':')[2] or out)[0]


def row(program, use, needs=(), deadline=60):
    """Marks what a row of the table is found out with: function(a Way)
    raises a Failure if the program does not work."""
    def mark(function):
        rows.append((program, use, needs, deadline, function))
        return function
    return mark


def missing(needs):
    lacking = sorted({EXECUTABLES.get(n, n) for n in needs
                      if not shutil.which(n)})
    return 'needs package ' + ', '.join(lacking) if lacking else None


def hold_to(cell, function, way):
    reason = cell_reason(cell)
    try:
        function(way)
    except tt.Failure as e:
        if reason is None:
            raise
        tt.check(reason in str(e), 'doc/programs.md says "%s", but it fails '
                 'otherwise:\n%s' % (cell, e))
        return
    tt.check(reason is None, 'doc/programs.md says "%s", but it works' % cell)


def make_case(program, use, needs, deadline, function, way):
    def this(t):
        lacking = missing(tuple(needs) + ('ping', 'ip'))
        if lacking:
            raise tt.Skip(lacking)
        if way.startswith('run') and not t.opts.tundctl:
            raise tt.Skip('no --tundctl')
        if way == 'preload' and not t.opts.preload:
            raise tt.Skip('no --preload')
        said = read_table().get((program, use))
        tt.check(said, 'no row "%s | %s" in doc/programs.md' % (program, use))
        if said['version'] not in ('-', version(program)):
            tt.note('here is %s %s, doc/programs.md is about %s' % (
                program, version(program), said['version']))
        replace_device(t)
        if way == 'kernel':
            function(Way(t, way))
        else:
            hold_to(said[way], function, Way(t, way))
    this.__name__ = '%s.%s' % (
        re.sub(r'\W+', '_', '%s %s' % (program, use)).strip('_'), way)
    tt.case(deadline=deadline, root=True)(this)


def replace_device(t):
    """The device under test in the place where programs look for it; the
    mount namespace is the test's own."""
    if not os.path.exists(NODE):
        make_dev()
    tt.mount(t.dev, NODE, None, MS_BIND)
    t.defer(tt.libc.umount2, NODE.encode(), MNT_DETACH)
    tt.equal(tt.stat.S_ISREG(os.stat(NODE).st_mode), not t.kernel,
             'a regular file at ' + NODE)


def make_dev():
    """A /dev with the file that a kernel without CONFIG_TUN does not make."""
    new = tt.WORK + '/dev'
    os.mkdir(new)
    tt.mount('tmpfs', new, 'tmpfs', 0, 'mode=755')
    for entry in os.scandir('/dev'):
        target = '%s/%s' % (new, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
            continue
        if entry.name == 'net':
            continue
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT, 0o600))
        tt.mount(entry.path, target, None, MS_BIND | MS_REC)
    os.mkdir(new + '/net')
    os.close(os.open(new + '/net/tun', os.O_CREAT, 0o600))
    tt.mount(new, '/dev', None, MS_MOVE)


class Program:
    """A process under test, with its output."""

    def __init__(self, way, ns, command, stdin=None, env=None):
        way.count += 1
        self.way = way
        self.name = os.path.basename(str(command[0]))
        self.log_path = '%s/%s-%s-%d.log' % (tt.WORK, self.name, way.name,
                                             way.count)
        with open(self.log_path, 'wb') as log, ns:
            self.p = subprocess.Popen(
                way.command(command), stdout=log, stderr=log,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                env={**way.environment(), **(env or {})}, cwd=tt.WORK)
        way.t.defer(way.t.end_process, self.p)
        if stdin:
            self.p.stdin.write(stdin.encode())
            self.p.stdin.close()

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def tail(self):
        return '%s said:\n%s' % (self.name, self.log()[-2500:])

    def check_running(self):
        tt.check(self.p.poll() is None, '%s ended, exit %s; %s' % (
            self.name, self.p.returncode, self.tail()))

    def wait(self, predicate, what, deadline=10):
        """Until predicate(), which the end of the program spoils."""
        def now():
            done = predicate()
            if not done:
                self.check_running()
            return done
        return tt.wait_for(now, deadline,
                           lambda: '%s; %s' % (what, self.tail()))

    def wait_log(self, text, deadline=10):
        self.wait(lambda: text in self.log(), '"%s"' % text, deadline)

    def wait_up(self, ns, name, deadline=10):
        up = re.compile(r'\b%s(@\S+)?: <[^>]*\bUP\b' % name)
        self.wait(lambda: up.search(ns.ip('link show')), name + ' is up',
                  deadline)

    def wait_end(self, code=0, deadline=10):
        tt.wait_for(lambda: self.p.poll() is not None, deadline,
                    lambda: 'end of %s\n%s\n%s' % (
                        self.name, tt.process_state(self.p.pid), self.tail()))
        tt.check(self.p.returncode == code, 'exit status %s, want %s; %s' % (
            self.p.returncode, code, self.tail()))

    def note_plane(self):
        """Who goes past the daemon holds no device file, but for the one that
        the preload object keeps from number 500 up. tundctl itself, the
        program's parent or child, does not count."""
        if not self.way.name.startswith(('run', 'preload')):
            return
        files = 0
        for pid in family(self.p.pid):
            try:
                if os.readlink('/proc/%d/exe' % pid) != self.way.t.opts.tundctl:
                    files += sum(os.readlink(e.path).endswith('/net/tun')
                                 and int(e.name) < 500
                                 for e in os.scandir('/proc/%d/fd' % pid))
            except OSError:
                continue
        tt.note('%s is on the %s plane' % (self.name,
                                           'file' if files else 'direct'))

    def end(self, code=0, number=signal.SIGTERM):
        """As an administrator does it."""
        self.check_running()
        self.note_plane()
        self.p.send_signal(number)
        self.wait_end(code)


def family(pid):
    """It and its descendants."""
    children = {}
    for other in tt.pids():
        stat = tt.stat_of(other)
        if stat:
            children.setdefault(int(stat[1]), []).append(other)
    found = [pid]
    for parent in found:
        found += children.get(parent, ())
    return found


class Way:
    def __init__(self, t, name):
        self.t, self.name = t, name
        self.count = 0

    def command(self, command):
        command = [str(c) for c in command]
        if self.name.startswith('run'):
            plane = 'file' if self.name == 'run-file' else 'auto'
            return [self.t.opts.tundctl, 'run', '--plane', plane,
                    '--'] + command
        return command

    def environment(self):
        environment = {**os.environ, 'LC_ALL': 'C'}
        if self.name == 'preload':
            environment['LD_PRELOAD'] = self.t.opts.preload
        return environment

    def able(self):
        """One that knows the ioctls by value, for the program that is not
        asked about."""
        return self if self.name == 'kernel' else Way(self.t, 'preload')

    def start(self, ns, *command, **how):
        return Program(self, ns, command, **how)

    def run(self, ns, *command, deadline=20, **how):
        """To its good end; its output."""
        program = Program(self, ns, command, **how)
        program.wait_end(deadline=deadline)
        return program.log()


def pair(t, net='10.9.0'):
    """Two namespaces with a wire: NET.1 and NET.2."""
    both = t.netns('left'), t.netns('right')
    t.wire(*both, net=net)
    return both


def ping(ns, address, count=3, deadline=10):
    """Until it answers once, then count without a loss."""
    with ns:
        tt.wait_for(lambda: ' 0% packet loss' in tt.run(
            'ping', '-c', 1, '-W', 1, address, ok=False), deadline,
            'no answer to ping of %s from %s' % (address, ns.name))
        out = tt.run('ping', '-c', count, '-i', '0.05', '-w', 10, address,
                     ok=False)
    got = [int(n) for n in re.findall(r'icmp_seq=(\d+) ', out)]
    # One more was sent if an answer was late.
    tt.check(len(got) >= count, 'answers to ping: %s' % got)
    tt.equal(got, list(range(1, len(got) + 1)), 'answers to ping')


def transfer(sender, receiver, address, port, size=4 * MEGABYTE):
    tt.Transfer(receiver, sender, address, size, port=port).wait(30)


def exchange(a, b, address_a, address_b):
    """Pings and TCP between two namespaces, both ways."""
    ping(a, address_b)
    ping(b, address_a)
    transfer(a, b, address_b, 5001)
    transfer(b, a, address_a, 5002)


def mount_sys(t, ns, flags=0):
    """The /sys of the namespace, for programs that look interfaces up in
    it."""
    with ns:
        tt.mount('sysfs', '/sys', 'sysfs', flags)
    t.defer(tt.libc.umount2, b'/sys', MNT_DETACH)


def gone(ns, *names):
    for name in names:
        tt.wait_for(lambda: not ns.has(name), 3, '%s is gone from %s' % (
            name, ns.name))


def options(parser):
    parser.add_argument('--preload', type=os.path.abspath,
                        help='libtunclient-preload.so')
    parser.add_argument('--tundctl', type=os.path.abspath)
    parser.add_argument('--way', action='append',
                        choices=('kernel',) + WAYS)
    parser.add_argument('--guest', type=os.path.abspath,
                        help='what fetch-guest made')
    opts, _ = parser.parse_known_args()
    ways = opts.way or (WAYS if opts.tund else ('kernel',))
    if any((w == 'kernel') == bool(opts.tund) for w in ways):
        parser.error('the way kernel is without --tund, all others with it')
    for this in rows:
        for way in ways:
            make_case(*this, way)
    tt.case()(table)


def table(_):
    """Each row that is about these programs has its case, and the other way
    round; no row is about a program that nobody knows."""
    said = read_table()
    programs = {r[0] for r in rows}
    tt.equal(sorted(k for k in said if k[0] in programs),
             sorted((r[0], r[1]) for r in rows), 'rows of doc/programs.md')
    tt.equal(sorted({k[0] for k in said} - set(PACKAGES)), [],
             'programs without a test')


def main(sentence):
    tt.main(sentence, options)
