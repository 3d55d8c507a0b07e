# SPDX-License-Identifier: MIT
"""Checks that another program makes: clang-format, shellcheck, Python's
compiler, man. Each is skipped where that program is not installed."""
import re
import shutil
import subprocess

from tree import Skip

PAGE = re.compile(r'doc/man/.*\.[1-9]')
LINK = re.compile(r'\.so man\d/(\S+)')


def run(tree, *command):
    if not shutil.which(command[0]):
        raise Skip(command[0] + ' is not here')
    return subprocess.run(command, cwd=tree.root, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors='replace')


def found(output, pattern, remedy):
    """One fault for each line that the pattern (file, line, text) fits."""
    for match in re.finditer(pattern, output, re.M):
        file, line, text = match.groups()
        yield file, int(line), f'{text}; {remedy}'


def wrap(result, pattern, remedy):
    faults = list(dict.fromkeys(found(result.stdout, pattern, remedy)))
    if result.returncode and not faults:
        faults = [('.', 0, result.stdout.strip() or 'failed')]
    return faults


def layout(tree):
    files = tree.ending('.c', '.h')
    if files:
        result = run(tree, 'clang-format', '--dry-run', '-Werror', '--', *files)
        yield from wrap(result, r'^(\S+?):(\d+):\d+: error: (.*?)(?: \[.*\])?$',
                        'run clang-format -i on the file')


def shell(tree):
    files = tree.shell()
    if files:
        result = run(tree, 'shellcheck', '--format=gcc', '--', *files)
        yield from wrap(result, r'^(\S+?):(\d+):\d+: (.*)$',
                        'shellcheck.net/wiki explains the code')


def python(tree):
    for file in tree.python():
        try:
            compile('\n'.join(tree.lines(file)) + '\n', file, 'exec')
        except SyntaxError as error:
            yield file, error.lineno or 1, f'{error.msg}; mend the syntax'


def man(tree):
    for file in filter(PAGE.fullmatch, tree.files):
        link = next(filter(None, map(LINK.match, tree.lines(file))), None)
        if link:
            # man looks for it among the installed pages only.
            if 'doc/man/' + link[1] not in tree.files:
                yield file, 1, f'doc/man/{link[1]} is not there; mend .so'
            continue
        if not shutil.which('man'):
            raise Skip('man is not here')
        result = run(tree, 'sh', '-c', 'LC_ALL=C.UTF-8 MANWIDTH=80 '
                     'man --warnings -l "$1" 2>&1 >/dev/null', 'sh', file)
        for line in result.stdout.splitlines():
            number = re.search(r':(\d+): ', line)
            yield (file, int(number[1]) if number else 1,
                   f'{line.split(": ", 1)[-1]}; mend the page')
