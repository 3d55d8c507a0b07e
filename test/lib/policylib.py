# SPDX-License-Identifier: MIT
"""A daemon with a configuration, and an ordinary user who meets its
policies."""

import os
import signal

import tundtest as tt
from tundtest import check

USER = 1000


class Scene:
    """A daemon with a configuration of its own."""

    def __init__(self, t, config):
        self.t = t
        self.daemon = tt.Daemon(t.opts.tund, config=config)
        self.config = '%s/tund%d.conf' % (tt.WORK, self.daemon.number)
        t.dev = self.daemon.device
        t.defer(self.end)

    def end(self):
        self.t.dev = self.t.daemon.device
        try:
            self.daemon.stop()
        finally:
            self.daemon.kill()

    def write(self, config):
        with open(self.config, 'w') as f:
            f.write(config)
        os.kill(self.daemon.pid, signal.SIGHUP)

    def said(self, text, times=1):
        return self.daemon.log().count(text) >= times

    def wait_said(self, text, times=1):
        tt.wait_for(lambda: self.said(text, times), 5,
                    lambda: '"%s" in\n%s' % (text, self.daemon.log()))

    def as_user(self, function, *args):
        """A process of the user's; .result() is the function's."""
        return self.t.child(self.body, function, args)

    @staticmethod
    def body(function, args):
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        with open('/proc/self/status') as f:
            caps = [line for line in f if line.startswith('CapEff')]
        check(int(caps[0].split()[1], 16) == 0, caps)
        return function(*args)
