# SPDX-License-Identifier: MIT
"""A container engine of a test's own: Podman with all that it keeps in the
test's directory, what it would find of this machine covered, and an image whose
command tries the device."""

import errno
import os
import shutil
import signal
import socket
import subprocess

import cgrouplib
import tundtest as tt

IMAGE, PAUSE = 'localhost/vpn:1', 'localhost/pause:1'
APPLETS = ('cat', 'grep', 'ip', 'ls', 'mknod', 'ping', 'rm', 'sh', 'sleep')

# A program that only opens, reads and writes; then one with the library. Who
# pings is the container's own network stack.
VPN = '''#!/bin/sh
try() {
	name=$1 net=$2
	shift 2
	rm -f /tmp/said
	"$@" >/tmp/said &
	until grep -q "$name" /tmp/said; do
		kill -0 $! || exit 1
		sleep 0.02
	done 2>/dev/null
	ip link set $name up
	ip addr add $net.1/24 dev $name
	# What is answered before it runs may be lost.
	while ip link show $name | grep -q NO-CARRIER; do
		sleep 0.02
	done
	echo "$name: $(ping -c 3 -i 0.05 -W 2 $net.2 | grep received)"
}
ls -l /dev/net/tun
rm -f /tmp/node
mknod /tmp/node c 10 200 && cat </tmp/node
try plain 192.0.2 tund-test-helper --verbose --name plain answer
try direct 198.51.100 ping-reply direct
echo "that is all"
exec sleep 1000
'''

# Networks are not the engine's affair here, nor are limits, for which not each
# cgroup has a controller.
CONFIG = '''
[containers]
netns = "none"
pids_limit = 0
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
infra_image = "{pause}"
tmp_dir = "{home}/libpod"
image_copy_tmp_dir = "{home}"
[network]
network_backend = "netavark"
network_config_dir = "{home}/networks"
'''
STORAGE = '''
[storage]
driver = "vfs"
graphroot = "{home}/storage"
runroot = "{home}/runroot"
'''

# $1: the user's subordinate ids, or nothing. In the groups of its own it has
# the root; where no controller is to be had, Podman writes what is refused.
HOST = '''
set -e
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd /sys/fs/cgroup
mkdir init libpod_parent
echo 0 >init/cgroup.procs
if [ -z "$(cat cgroup.controllers)" ]; then
	mount --bind /dev/null cgroup.subtree_control
	mount --bind /dev/null libpod_parent/cgroup.subtree_control
fi
mount -t tmpfs -o mode=755 tmpfs /var/lib
[ -z "$1" ] || mount --bind "$1" /etc/subuid
[ -z "$1" ] || mount --bind "$1" /etc/subgid
cd /
echo ready
exec sleep infinity
'''


def reader(path):
    def said():
        with open(path) as f:
            return f.read()
    return said


def members(cgroup):
    """The engine itself may remove it meanwhile."""
    try:
        with open(cgroup + '/cgroup.procs') as f:
            return [int(pid) for pid in f.read().split()]
    except OSError as e:
        if e.errno not in (errno.ENOENT, errno.ENODEV):
            raise
        return []


class Engine:
    """Of root, or of an ordinary user with subordinate ids."""

    def __init__(self, t, user=None):
        self.t, self.user = t, user
        self.home = '%s/engine-%s' % (tt.WORK, user.pw_name if user else 'root')
        new = not os.path.exists(self.home)
        if new:
            self.make_home()
        self.env = {
            'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:'
                    '/bin', 'HOME': self.home, 'TMPDIR': self.home,
            'XDG_RUNTIME_DIR': self.home + '/xdg',
            'CONTAINERS_CONF': self.home + '/containers.conf',
            'CONTAINERS_STORAGE_CONF': self.home + '/storage.conf',
            'DOCKER_HOST': 'unix://%s/socket' % self.home}
        self.cgroup = cgrouplib.make(t)
        # What is mounted later is seen there, too.
        tt.run('mount', '--make-shared', '/run')
        self.host = t.popen(
            'unshare', '--mount', '--cgroup', '--propagation', 'slave', 'sh', '-c', HOST, 'sh',
            self.home + '/ids' if user else '', stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: cgrouplib.join(self.cgroup))
        said = self.host.stdout.readline()
        tt.check(said == 'ready\n', 'no place for an engine: ' + said)
        t.defer(self.end)
        if new:
            self.make_images()

    def make_home(self):
        for name in '', '/xdg', '/root', '/root/bin', '/root/tmp':
            os.mkdir(self.home + name)
        for name, text in ('containers.conf', CONFIG), ('storage.conf',
                                                        STORAGE):
            self.write(name, text.format(home=self.home, pause=PAUSE))
        if self.user:
            self.write('ids', self.user.pw_name + ':100000:65536\n')
            for name in '', '/xdg':
                os.chown(self.home + name, self.user.pw_uid, self.user.pw_gid)

    def write(self, name, text):
        path = '%s/%s' % (self.home, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def make_images(self):
        """Of programs that need no library."""
        helper, where = self.t.opts.helper, self.home + '/root/bin/'
        shutil.copy(shutil.which('busybox'), where + 'busybox')
        for name in APPLETS:
            os.link(where + 'busybox', where + name)
        for path, name in ((helper + '-static', 'tund-test-helper'),
                           (os.path.dirname(helper) + '/ping-reply-static',
                            'ping-reply')):
            shutil.copy(path, where + name)
        os.chmod(self.write('root/bin/vpn', VPN), 0o755)
        tt.run('tar', '-C', self.home + '/root', '-cf', self.home + '/image',
               '.')
        for name, command in (IMAGE, '["/bin/vpn"]'), (
                PAUSE, '["/bin/sleep", "1000"]'):
            self.run('podman', 'import', '--quiet', '--change', 'CMD ' + command,
                     self.home + '/image', name)

    def command(self, words):
        return ['nsenter', '-t', str(self.host.pid), '-m', '-C', *(
            ('setpriv', '--reuid', str(self.user.pw_uid), '--regid',
             str(self.user.pw_gid), '--clear-groups') if self.user else ()),
                *words]

    def kwargs(self):
        return {'env': self.env, 'cwd': self.home, 'preexec_fn':
                lambda: cgrouplib.join(self.cgroup + '/init')}

    def run(self, *words, ok=True):
        return tt.run(*self.command(words), ok=ok,
                      timeout=20 * tt.tundnet.slack, **self.kwargs())

    def start(self, *words):
        """(process, what it has said until now)"""
        log = self.home + '/said'
        with open(log, 'w') as out:
            p = self.t.popen(*self.command(words), stdout=out, stderr=out,
                             **self.kwargs())
        return p, reader(log)

    def log(self, name):
        """What a container has said until now, each line with its time."""
        return reader(self.run('podman', 'inspect', '--format',
                               '{{.HostConfig.LogConfig.Path}}', name).strip())

    def serve(self):
        """Docker's API, on a socket."""
        p, said = self.start('podman', 'system', 'service', '--time', '0',
                             self.env['DOCKER_HOST'])
        path = self.home + '/socket'

        def listens():
            tt.check(p.poll() is None, said())
            # The one of a case before is a file that nobody listens to.
            with socket.socket(socket.AF_UNIX) as s:
                return s.connect_ex(path) == 0
        tt.wait_for(listens, 10, lambda: 'socket of Podman: ' + said())

    def end(self):
        try:
            self.run('podman', 'rm', '-f', '-t', '0', '-a')
        finally:
            self.kill()

    def kill(self):
        """Whoever is left."""
        def left():
            found = False
            for where, _, _ in os.walk(self.cgroup):
                for pid in members(where):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass  # it was ending
                    found = True
            return found
        tt.wait_for(lambda: not left(), 5, 'end of the engine')
