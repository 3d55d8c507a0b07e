# SPDX-License-Identifier: MIT
"""The files that the style checks look at. Knows no check."""
import os
import subprocess

BUILT = ('build', '.git', '__pycache__')


class Skip(Exception):
    """Raised by a check that the machine lacks a tool for."""


class Tree:
    """The tracked and the new files below a directory, but none ignored."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self._lines = {}
        self.files = sorted(f for f in self._list()
                            if os.path.isfile(self.path(f))
                            and not os.path.islink(self.path(f)))

    def _list(self):
        if os.path.exists(self.path('.git')):
            git = subprocess.run(
                ['git', '-c', 'safe.directory=*', '-C', self.root, 'ls-files',
                 '-z', '--cached', '--others', '--exclude-standard'],
                stdout=subprocess.PIPE, check=True)
            return set(os.fsdecode(git.stdout).split('\0')) - {''}
        return [os.path.relpath(os.path.join(top, name), self.root)
                for top, dirs, names in os.walk(self.root)
                if not prune(dirs) for name in names]

    def path(self, file):
        return os.path.join(self.root, file)

    def below(self, *folders):
        return [f for f in self.files
                if f.startswith(tuple(d + '/' for d in folders))]

    def ending(self, *ends):
        return [f for f in self.files if f.endswith(ends)]

    def lines(self, file):
        """The lines of a text file; none for a binary one."""
        if file not in self._lines:
            with open(self.path(file), 'rb') as stream:
                data = stream.read()
            text = '' if b'\0' in data else data.decode(errors='replace')
            self._lines[file] = text.splitlines()
        return self._lines[file]

    def interpreter(self, file):
        """The program that a script's first line names: sh, python3, ..."""
        first = self.lines(file)[:1]
        if not first or not first[0].startswith('#!'):
            return ''
        words = first[0][2:].replace('/usr/bin/env', ' ').split()
        return os.path.basename(words[0]) if words else ''

    def python(self):
        return [f for f in self.files if f.endswith('.py')
                or self.interpreter(f).startswith('python')]

    def shell(self):
        return [f for f in self.files if f.endswith('.sh')
                or self.interpreter(f) in ('sh', 'bash', 'dash')]


def prune(dirs):
    """Takes out of os.walk()'s list what is not source; returns None."""
    dirs[:] = [d for d in dirs if d not in BUILT]
