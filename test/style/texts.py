# SPDX-License-Identifier: MIT
"""Checks that read lines: licence, size, unfinished marks, words that mean
nothing outside one machine."""
import os
import re

SPDX = 'SPDX-License-Identifier: MIT'
LONGEST = 600

# Formats without a comment, or whose reader would see it.
UNMARKED = ('.md', '.json', '.txt', '.pcap', '.png', '.svg')

COMMENT = re.compile(r'/\*.*?\*/\n?', re.S)

# Written so that these lines do not match themselves.
MARKS = re.compile(r'\b([T]ODO|[F]IXME|[X]XX)\b')
MACHINE = re.compile(
    r'(?<![\w.])/(?:[w]ork|[h]ome/\w+)/'
    r'|//[\w.-]+\.(?:internal|local|lan|corp|intranet)\b'
    r'|//(?:10|127|192\.168)\.[\d.]+:\d+', re.I)


def spdx(tree):
    for file in tree.files:
        name = os.path.basename(file)
        # debian/copyright speaks for its folder.
        if file.startswith('debian/') and name != 'rules':
            continue
        if name == 'LICENSE' or (name.endswith(UNMARKED)
                                 and name != 'meson_options.txt'):
            continue
        lines = tree.lines(file)
        if lines and not any(SPDX in line for line in lines[:3]):
            yield file, 1, f'no "{SPDX}" in the first three lines; add it'


def size(tree):
    for file in sorted(set(tree.ending('.c', '.h') + tree.python()
                           + tree.shell())):
        count = len(tree.lines(file))
        # What is installed is a manual, too: its comments may be long.
        if file.startswith('include/'):
            count = len(COMMENT.sub('', '\n'.join(tree.lines(file)))
                        .split('\n'))
        if count > LONGEST:
            yield (file, LONGEST + 1,
                   f'{count} lines, more than {LONGEST}; split it: one file '
                   'is one responsibility')


def marks(tree):
    yield from matching(tree, MARKS, 'finish it, or write an issue')


def words(tree):
    yield from matching(tree, MACHINE, 'means nothing on another machine; '
                        'name it relative to the repository')


def matching(tree, pattern, remedy):
    for file in tree.files:
        for number, line in enumerate(tree.lines(file), 1):
            match = pattern.search(line)
            if match:
                yield file, number, f'"{match[0]}": {remedy}'
