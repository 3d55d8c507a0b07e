# SPDX-License-Identifier: MIT
"""The frame of a system test: private namespaces, a daemon in them, cases,
a watchdog, and what must be true at the end. What a case works with comes from
tundnet.py, all of whose names are here too.

A test is a script with cases, functions marked @case() that get a Test:

    @tt.case()
    def a_packet(t):
        ...

    tt.main(__doc__)

Without --tund the device is the kernel's own, the oracle: what cannot be
asked of it is marked @case(needs='tund') and skipped."""

import argparse
import os
import random
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
import traceback

import cgrouplib
import tundnet
from tundnet import *  # noqa: F401,F403
from tundnet import (Child, Counters, Failure, Netns, Skip, Tun, alive, check,
                     current_call, mount, run, stat_of, tasks, wait_for)

WORK = '/run/tundtest'
INSIDE = 'TUNDTEST_INSIDE'

started = time.monotonic()
cases = []


class Case:
    def __init__(self, function, needs, deadline, root, programs):
        self.function, self.name = function, function.__name__
        self.needs, self.deadline = needs, deadline
        self.root, self.programs = root, programs

    def skipped(self, test):
        """Why it is not for here, or None."""
        if self.needs == 'tund' and test.kernel:
            return 'asks the daemon'
        if self.needs == 'kernel' and not test.kernel:
            return 'asks the kernel'
        if self.root and test.opts.user:
            return 'needs real root'
        for program in self.programs:
            if not shutil.which(program):
                return 'needs ' + program
        return None


def case(needs=None, deadline=30, root=False, programs=()):
    """Marks a case. needs: 'tund', 'kernel' or neither; root: real root."""
    def mark(function):
        cases.append(Case(function, needs, deadline, root, programs))
        return function
    return mark


def note(text):
    for line in str(text).rstrip().split('\n'):
        print('# %7.3f %s' % (time.monotonic() - started, line), flush=True)


def mounts_at(path):
    with open('/proc/self/mountinfo') as f:
        return [line for line in f if line.split()[4] == path]


class Daemon:
    """tund, running in the foreground in the test's namespaces, in a session
    of its own as a service manager starts it."""

    def __init__(self, path, mount_point=None, args=(), config=None,
                 ready=True, level='notice', foreground=True,
                 own_session=True):
        self.number = Daemon.count = getattr(Daemon, 'count', 0) + 1
        self.mount_point = mount_point or '%s/mount%d' % (WORK, self.number)
        if not mount_point:
            os.mkdir(self.mount_point)
        self.log_path = '%s/tund%d.log' % (WORK, self.number)
        self.control = '%s/control%d' % (WORK, self.number)
        command = [path, '--mount', self.mount_point, '--log-level', level,
                   '--control', self.control]
        if foreground:
            command.append('--foreground')
        if config is not None:
            name = '%s/tund%d.conf' % (WORK, self.number)
            with open(name, 'w') as f:
                f.write(config)
            command += ['--config', name]
        directory = os.path.isdir(self.mount_point)
        self.device = self.mount_point + ('/net/tun' if directory else '')
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(
                command + list(args), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=own_session)
        self.pid = self.process.pid
        if ready:
            self.wait_ready()

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def answers(self):
        try:
            tun = Tun(self.device, attach=False)
        except OSError:
            return False
        try:
            return stat.S_ISREG(os.fstat(tun.fd).st_mode) and \
                tun.features() != 0
        except OSError:
            return False
        finally:
            tun.close()

    def wait_ready(self, deadline=10):
        def ready():
            check(self.running(), 'the daemon ended, exit %s:\n%s' % (
                self.process.returncode, self.log()))
            return self.answers()
        wait_for(ready, deadline, lambda: 'device answers\n' + self.log())

    def running(self):
        return self.process.poll() is None

    def threads(self):
        return len(tasks(self.pid))

    def wait_exit(self, deadline=10):
        wait_for(lambda: not self.running(), deadline,
                 lambda: 'exit of the daemon\n' + process_state(self.pid))
        return self.process.returncode

    def bad_words(self):
        """What must never be in the log."""
        found = [line for line in self.log().split('\n')
                 if any(w in line.lower() for w in (
                     'sanitizer', 'assert', 'runtime error:', 'panic'))]
        return '\n'.join(found[:20])

    def stop(self, number=signal.SIGTERM, deadline=10):
        """Ends it as an administrator does, and checks what it leaves."""
        check(self.running(), 'the daemon has ended by itself, exit %s:\n%s'
              % (self.process.returncode, self.log()[-3000:]))
        os.kill(self.pid, number)
        code = self.wait_exit(deadline)
        check(code == 0, 'exit status %s of the daemon:\n%s' % (
            code, self.log()[-3000:]))
        check(not mounts_at(self.mount_point), 'the mount is left')
        check(not self.bad_words(), self.bad_words())
        left = waiting_for_fuse()
        check(not left, 'still parked: %s' % left)

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()
        while mounts_at(self.mount_point):
            tundnet.libc.umount2(self.mount_point.encode(), 2)


def waiting_for_fuse():
    """Threads that wait for an answer of a FUSE daemon."""
    found = []
    for pid in pids():
        for tid in tasks(pid):
            try:
                with open('/proc/%d/task/%d/wchan' % (pid, tid)) as f:
                    if 'request_wait_answer' in f.read():
                        found.append((pid, tid, stat_of(pid, tid)[0]))
            except OSError:
                pass
    return found


def pids():
    return sorted(int(p) for p in os.listdir('/proc') if p.isdigit())


def process_state(pid, stacks=True):
    """What each thread of a process does, for a person to read."""
    def text(name):
        try:
            with open('/proc/%d/%s' % (pid, name), errors='replace') as f:
                return f.read().replace('\0', ' ').strip()
        except OSError as e:
            return '(%s)' % e.strerror
    lines = ['process %d: %s' % (pid, text('cmdline')[:300])]
    for tid in tasks(pid):
        where = 'task/%d/' % tid
        lines.append('  thread %d %s %s wchan %s syscall %s' % (
            tid, text(where + 'comm'), (stat_of(pid, tid) or '?')[0],
            text(where + 'wchan'), text(where + 'syscall')[:60]))
        if stacks and text(where + 'wchan') not in ('0', ''):
            lines += ['      ' + line for line in
                      text(where + 'stack').split('\n')[:8]]
    return '\n'.join(lines)


class Test:
    """What a case gets; it is taken down when the case ends."""

    def __init__(self, opts):
        self.opts = opts
        self.kernel = opts.tund is None
        self.daemon = None
        self.home = Netns()
        self.namespaces = []
        self.undo = []
        self.files = 0
        self.random = random.Random(opts.seed)
        self.dev = None if opts.tund else self.kernel_device(opts.device)

    def kernel_device(self, path):
        """A node of its own, so that nobody's is changed."""
        try:
            node = '%s/kernel-tun' % WORK
            os.mknod(node, stat.S_IFCHR | 0o666, os.stat(path).st_rdev)
            os.chmod(node, 0o666)
            os.close(os.open(node, os.O_RDWR))
            return node
        except OSError:
            return path

    def start_daemon(self):
        self.daemon = Daemon(self.opts.tund)
        self.dev = self.daemon.device

    # Things that end with the case.

    def defer(self, function, *args):
        self.undo.append((function, args))

    def netns(self, name, ipv6=False):
        ns = Netns(name, ipv6)
        self.namespaces.append(ns)
        return ns

    def wire(self, a, b, name_a='wire', name_b='wire', net='10.9.0'):
        """A veth pair between two namespaces: .1 and .2, and it runs."""
        with a:
            run('ip', 'link', 'add', name_a, 'type', 'veth', 'peer', 'name',
                name_b, 'netns', '/proc/self/fd/%d' % b.fd
                if not b.name else b.name, pass_fds=(b.fd,))
        a.ip('addr add %s.1/24 dev %s' % (net, name_a),
             'link set %s up' % name_a)
        b.ip('addr add %s.2/24 dev %s' % (net, name_b),
             'link set %s up' % name_b)
        for ns, name in (a, name_a), (b, name_b):
            ns.wait_running(name)
        a.remember()
        b.remember()

    def tun(self, name='', flags=0x1001, ns=None, **kwargs):
        tun = Tun(self.dev, name, flags, ns, **kwargs)
        self.defer(tun.close)
        return tun

    def child(self, function, *args):
        child = Child(function, *args)
        self.defer(self.end_child, child)
        return child

    def end_child(self, child):
        child.kill()
        child.wait(5)
        child.close()

    def popen(self, *command, ns=None, stdin=subprocess.DEVNULL, **kwargs):
        """A process in the namespace; killed at the end of the case."""
        with ns or self.home:
            p = subprocess.Popen([str(c) for c in command], stdin=stdin,
                                 **kwargs)
        self.defer(self.end_process, p)
        return p

    def end_process(self, p):
        if p.poll() is None:
            p.kill()
        wait_for(lambda: p.poll() is not None, 5,
                 lambda: 'death of\n' + process_state(p.pid))

    def helper(self, command, *args, ns=None, fd=None, static=False,
               ready=True, **options):
        """tund-test-helper with its counters as .c; waits until it is
        attached. An option True has no value; src='x' is --src x."""
        self.files += 1
        path = '%s/counters%d' % (WORK, self.files)
        counters = Counters(path)
        line = [self.opts.helper + ('-static' if static else ''),
                '--device', self.dev, '--stat', path]
        for key, value in options.items():
            if value is True:
                line.append('--' + key)
            elif value is not None and value is not False:
                line += ['--' + key, str(value)]
        if fd is not None:
            line += ['--fd', str(int(fd))]
        with open(path + '.log', 'wb') as log:
            p = self.popen(*line, command, *args, ns=ns, stdout=log,
                           stderr=log,
                           pass_fds=() if fd is None else (int(fd),))
        p.c = counters
        p.log = path + '.log'
        if ready:
            self.wait_helper(p)
        return p

    def wait_helper(self, p, deadline=5, ready=1):
        def attached():
            if p.poll() is not None and p.c.ready < ready:
                with open(p.log) as f:
                    raise Failure('the helper ended, exit %s: %s' % (
                        p.returncode, f.read()))
            return p.c.ready >= ready
        wait_for(attached, deadline, lambda: 'helper ready (%s)\n%s' % (
            p.c.show(), process_state(p.pid)))

    # Things that cases have in common.

    def up(self, tun, ns=None, addr='10.1.0.1/24', peer='10.1.0.2',
           extra=()):
        """Configures the interface of tun; returns its MAC, or None."""
        ns = ns or self.home
        lines = ['addr add %s dev %s' % (addr, tun.name)] if addr else []
        lines += list(extra)
        lines.append('link set %s up' % tun.name)
        tap = tun.flags & 2
        if tap:
            lines.append('neigh replace %s lladdr 02:00:00:00:00:02 dev %s'
                         % (peer, tun.name))
        ns.ip(*lines)
        return self.mac(tun.name, ns) if tap else None

    def mac(self, name, ns=None):
        with ns or self.home:
            words = run('ip', '-o', 'link', 'show', 'dev', name).split()
        return bytes.fromhex(
            words[words.index('link/ether') + 1].replace(':', ''))

    def drops(self, tun, ns=None):
        """(host to application, application to host), by who counts them."""
        if not self.kernel:
            s = tun.stats()
            return s['to_app'], s['to_host']
        s = (ns or self.home).ifstat(tun.getiff()[0])
        return s['tx_dropped'], s['rx_dropped']

    def end_case(self):
        """Undoes all, then nothing of the case may be left."""
        failed = None
        for function, args in reversed(self.undo):
            try:
                function(*args)
            except Exception as e:
                failed = failed or e
        self.undo = []
        # Whoever has lost his parent and would live on.
        for pid in pids():
            parent = (stat_of(pid) or ('', '0'))[1]
            if parent == '1' and pid != os.getpid():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it was ending
        for ns in [self.home] + self.namespaces:
            try:
                wait_for(lambda: set(ns.interfaces()) <= ns.own, 3,
                         lambda: 'interfaces gone from %s: %s' % (
                             ns.name, set(ns.interfaces()) - ns.own))
            except Failure as e:
                failed = failed or e
        for ns in self.namespaces:
            ns.close()
        self.namespaces = []
        if self.daemon and not self.daemon.running():
            failed = Failure('a client ended the daemon, exit %s:\n%s' % (
                self.daemon.process.returncode, self.daemon.log()[-4000:]))
            self.daemon.kill()
            self.start_daemon()
        if failed:
            raise failed


def run_case(test, this):
    """(passed, reason of a skip)."""
    why = this.skipped(test)
    if why:
        return True, why
    passed, why = True, None
    try:
        this.function(test)
    except Skip as e:
        why = str(e)
    except Failure as e:
        passed = False
        note('%s: FAILED: %s' % (this.name, e))
        note(''.join(traceback.format_tb(e.__traceback__)[-2:]))
    except Exception:
        passed = False
        note('%s: FAILED' % this.name)
        note(traceback.format_exc())
    if not passed and test.daemon:
        note('the daemon said:\n' + test.daemon.log()[-2500:])
    try:
        test.end_case()
    except Exception as e:
        passed = False
        note('%s: FAILED at its end: %s' % (this.name, e))
    return passed, why


def run_cases(opts, progress):
    """In the child: all cases, in TAP. Returns the exit status."""
    chosen = [c for c in cases if not opts.only or
              any(o in c.name for o in opts.only)]
    bad = 0
    os.write(progress, b'start 30\n')
    test = Test(opts)
    with_daemon = not test.kernel and not opts.no_daemon
    print('1..%d' % (len(chosen) + with_daemon), flush=True)
    if with_daemon:
        try:
            test.start_daemon()
        except Failure as e:
            note(e)
            print('Bail out! the daemon does not start', flush=True)
            return 1
    for number, this in enumerate(chosen, 1):
        os.write(progress, b'%s %d\n' % (this.name.encode(), this.deadline))
        begin = time.monotonic()
        passed, why = run_case(test, this)
        bad += not passed
        print('%sok %d - %s%s' % ('' if passed else 'not ', number, this.name,
                                  ' # SKIP ' + why if why else ''),
              flush=True)
        if not why:
            note('%s took %.2f s' % (this.name, time.monotonic() - begin))
    if with_daemon:
        os.write(progress, b'end_of_daemon 30\n')
        passed = True
        try:
            test.daemon.stop()
        except Failure as e:
            note('FAILED: %s' % e)
            passed = False
        bad += not passed
        print('%sok %d - daemon_ends_cleanly' % (
            '' if passed else 'not ', len(chosen) + 1), flush=True)
    os.write(progress, b'done 10\n')
    return 1 if bad else 0


def watch(child, progress):
    """Process 1 of the namespace: reaps, and ends what takes too long."""
    poller = select.poll()
    poller.register(progress, select.POLLIN)
    doing, end, data = 'start', time.monotonic() + 60, b''
    while True:
        if poller.poll(100):
            part = os.read(progress, 4096)
            data += part
            *lines, data = data.split(b'\n')
            for line in lines:
                doing, seconds = line.decode().split()
                end = time.monotonic() + int(seconds) * tundnet.slack
            if not part:
                poller.unregister(progress)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            if pid == child:
                return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            note('%s: no end in sight; the state:' % doing)
            for pid in pids():
                if pid != os.getpid():
                    note(process_state(pid))
            for log in sorted(os.listdir(WORK)):
                if log.startswith('tund') and log.endswith('.log'):
                    with open('%s/%s' % (WORK, log), errors='replace') as f:
                        note('%s:\n%s' % (log, f.read()[-3000:]))
            print('not ok - %s hangs' % doing, flush=True)
            print('Bail out! %s hangs' % doing, flush=True)
            return 1


def parse(sentence, more, refuse=None):
    p = argparse.ArgumentParser(description=sentence)
    own = p.add_argument_group('of every test')
    own.add_argument('--tund', help='the daemon; without: the kernel device')
    own.add_argument('--helper', help='the tund-test-helper')
    own.add_argument('--device', default='/dev/net/tun')
    own.add_argument('--seed', type=int, help='of what is random')
    own.add_argument('--slack', type=float, default=float(
        os.environ.get('TUNDTEST_SLACK', '1')), help='times each deadline')
    own.add_argument('--only', action='append', help='cases whose name has it')
    p.set_defaults(no_daemon=False, user=False)
    if more:
        more(p)
    opts = p.parse_args()
    for name in ('tund', 'helper'):
        path = getattr(opts, name)
        if path:
            path = shutil.which(path) or path
            setattr(opts, name, os.path.abspath(path))
            if not os.access(path, os.X_OK):
                p.error('--%s: no executable %s' % (name, path))
    for word in opts.only or []:
        if not any(word in c.name for c in cases):
            p.error('--only: no case has %r in its name: %s' % (
                word, ', '.join(c.name for c in cases)))
    try:
        if refuse:
            refuse(opts)
    except ValueError as e:
        p.error(str(e))
    if opts.seed is None:
        opts.seed = int(os.environ.get('TUNDTEST_SEED', '0')) or \
            random.SystemRandom().randrange(1, 1 << 31)
    return opts


def main(sentence, more=None, refuse=None):
    """Runs the cases; never returns. more(parser) adds options; it may set
    no_daemon for a test that starts its own. refuse(options) raises ValueError
    with what is wrong with them."""
    opts = parse(sentence, more, refuse)
    tundnet.slack = opts.slack
    if INSIDE not in os.environ:
        user = os.geteuid() != 0
        if user and subprocess.call(['unshare', '-Urmn', 'true'],
                                    stderr=subprocess.DEVNULL):
            print('1..0 # SKIP needs root, or user namespaces')
            sys.exit(0)
        os.environ[INSIDE] = 'user' if user else 'root'
        os.environ['TUNDTEST_SEED'] = str(opts.seed)
        sys.stdout.flush()
        cgrouplib.sweep()
        os.execvp('unshare', ['unshare'] + (
            ['--user', '--map-root-user'] if user else []) + [
            '--mount', '--net', '--pid', '--fork', '--kill-child',
            '--mount-proc', sys.executable] + sys.argv)
    opts.user = os.environ[INSIDE] == 'user'
    mount('tmpfs', '/run', 'tmpfs', 0, 'mode=755')
    os.mkdir(WORK)
    os.chmod(WORK, 0o755)
    reader, writer = os.pipe()
    note('seed %d, %s' % (opts.seed, opts.tund or opts.device))
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            status = run_cases(opts, writer)
        except BaseException:
            note(traceback.format_exc())
            print('Bail out! the test itself failed', flush=True)
        sys.stdout.flush()
        os._exit(status)
    os.close(writer)
    status = watch(child, reader)
    sys.stdout.flush()
    os._exit(status if 0 <= status < 128 else 1)
