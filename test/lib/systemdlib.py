# SPDX-License-Identifier: MIT
"""A real systemd as process 1 of namespaces of its own. Its root is the host's
with a layer in memory over it: it can write anywhere, and nothing stays. It
starts what a unit needs and nothing that belongs to the host: no kernel
setting, no module, no audit, no clock."""

import glob
import os
import shutil
import signal
import subprocess

import cgrouplib
import tundtest as tt

SYSTEMD = '/lib/systemd/systemd'

# In the namespaces: $1 is the new root, made by make_root().
BOOT = r'''
set -e
mount --make-rprivate /
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 \
		fuse:10:229; do
	IFS=: read -r name major minor <<-END
		$node
	END
	mknod -m 666 "dev/$name" c "$major" "$minor"
done
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
pivot_root . mnt
umount -l /mnt
ip link set lo up
exec setpriv --bounding-set "$2" env -i container=tundtest \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --unit=basic.target --log-target=console \
	--show-status=no --log-level=info
'''

# What reaches beyond the namespaces.
NOT_TO_HAVE = ('sys_module', 'sys_time', 'sys_boot', 'sys_rawio', 'syslog',
               'audit_control', 'audit_read', 'audit_write', 'mknod')

UNITS = {
    'sysinit.target.wants': ('systemd-sysusers.service',
                             'systemd-tmpfiles-setup.service',
                             'systemd-journald.service'),
    'sockets.target.wants': ('systemd-journald.socket',
                             'systemd-journald-dev-log.socket'),
}


class System:
    """install(root) puts what is tested into the root before the start."""

    def __init__(self, t, install):
        if not os.path.exists(SYSTEMD):
            raise tt.Skip('needs systemd')
        self.t = t
        self.root = self.make_root()
        install(self.root)
        self.cgroup = cgrouplib.make(t)
        t.defer(self.end)
        self.log = tt.WORK + '/systemd.log'
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                ['unshare', '-mnpuiC', '--fork', '--kill-child', 'sh', '-c',
                 BOOT, 'sh', self.root,
                 ','.join('-' + name for name in NOT_TO_HAVE)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: cgrouplib.join(self.cgroup))
        tt.wait_for(self.booted, 20, lambda: 'systemd boots\n' + self.said())

    def make_root(self):
        top = tt.WORK + '/systemd'
        for name in ('', '/upper', '/work', '/root'):
            os.mkdir(top + name)
        root = top + '/root'
        try:
            tt.mount('overlay', root, 'overlay', 0,
                     'lowerdir=/,upperdir=%s/upper,workdir=%s/work' % (
                         top, top))
        except OSError as e:
            raise tt.Skip('needs an overlay over /: %s' % e) from None
        # What this host has set up is none of our business.
        for name in glob.glob(root + '/lib/systemd/system/*.wants') + [
                root + '/etc/systemd/system', root + '/etc/tund',
                root + '/etc/fstab', root + '/etc/sysusers.d',
                root + '/etc/tmpfiles.d']:
            if os.path.isdir(name):
                shutil.rmtree(name)
            elif os.path.exists(name):
                os.unlink(name)
        for where, names in UNITS.items():
            os.makedirs('%s/etc/systemd/system/%s' % (root, where))
            for name in names:
                os.symlink('/lib/systemd/system/' + name,
                           '%s/etc/systemd/system/%s/%s' % (
                               root, where, name))
        return root

    def leader(self):
        with open('/proc/%d/task/%d/children' % (
                self.process.pid, self.process.pid)) as f:
            return f.read().split()[0]

    def command(self, *words):
        return ['nsenter', '-t', self.leader(), '-a', *words]

    def run(self, *words, ok=True):
        p = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False, timeout=30)
        tt.check(not ok or p.returncode == 0, '%s: exit status %d: %s\n%s' % (
            ' '.join(words), p.returncode, p.stdout, self.said()))
        return p.stdout.strip()

    def booted(self):
        tt.check(self.process.poll() is None,
                 'systemd ended:\n' + self.said())
        try:
            return self.run('systemctl', 'is-active', 'basic.target',
                            ok=False) == 'active'
        except (IndexError, FileNotFoundError):
            return False

    def show(self, unit, name):
        return self.run('systemctl', 'show', '--value', '-p', name, unit)

    def said(self):
        with open(self.log, errors='replace') as f:
            return f.read()[-3000:]

    def journal(self, unit):
        return self.run('journalctl', '--no-pager', '-o', 'cat', '-u', unit,
                        ok=False)[-3000:]

    def end(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        tt.wait_for(lambda: not self.processes(), 5, 'end of systemd')
        tt.run('umount', self.root)

    def processes(self):
        found = ''
        for where, _, _ in os.walk(self.cgroup):
            with open(where + '/cgroup.procs') as f:
                found += f.read()
        return found.split()
