# SPDX-License-Identifier: MIT
"""Each header compiles alone, and twice in a row; public ones also as strict
C99 and as C++."""
import os
import re
import shutil
import subprocess

from tree import Skip

PACKAGES = ('fuse3', 'libevent', 'libmnl', 'inih', 'libcap-ng', 'cmocka')

# Folder: what its files are compiled with, beside -Iinclude.
FOLDERS = {
    'daemon': ['daemon'],
    'client-lib': ['client-lib'],
    'tools': ['client-lib'],
    'test': ['test/lib', 'daemon'],
}

GNU = ['-x', 'c', '-std=gnu11', '-D_GNU_SOURCE']
STRICT = {
    'C99': ['gcc', '-x', 'c', '-std=c99', '-pedantic-errors'],
    'C11': ['gcc', '-x', 'c', '-std=c11', '-pedantic-errors'],
    'C++11': ['g++', '-x', 'c++', '-std=c++11', '-pedantic-errors'],
}
WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
            '-fsyntax-only']


def package_flags():
    flags = []
    for package in PACKAGES:
        found = subprocess.run(['pkg-config', '--cflags', package],
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
        flags += found.stdout.split()
    return flags


def fault(tree, command, header, what):
    source = f'#include {header}\n' * 2 + 'extern int end_of_test;\n'
    run = subprocess.run(command + WARNINGS + ['-'], cwd=tree.root,
                         input=source, stderr=subprocess.PIPE, text=True)
    if run.returncode == 0:
        return None
    error = re.search(r'([^\s:]+):(\d+):(?:\d+:)? (?:fatal )?error: (.*)',
                      run.stderr)
    where, line, text = error.groups() if error else ('', 1, run.stderr)
    if where and where != '<stdin>':
        text += f' (at {os.path.relpath(where, tree.root)}:{line})' \
            if os.path.isabs(where) else f' (at {where}:{line})'
    return f'does not compile alone as {what}: {text}; include what it uses'


def check(tree):
    if not shutil.which('gcc'):
        raise Skip('gcc is not here')
    packages = package_flags() if shutil.which('pkg-config') else []
    for file in tree.ending('.h'):
        room = file.split('/')[0]
        if room == 'include':
            header = '<' + file[len('include/'):] + '>'
            for what, command in STRICT.items():
                if not shutil.which(command[0]):
                    raise Skip(command[0] + ' is not here')
                text = fault(tree, command + ['-Iinclude'], header, what)
                if text:
                    yield file, 1, text
        folders = ['include', os.path.dirname(file)] + FOLDERS.get(room, [])
        text = fault(tree, ['gcc'] + GNU + ['-I' + f for f in folders]
                     + packages, f'"{tree.path(file)}"', 'GNU C')
        if text:
            yield file, 1, text
