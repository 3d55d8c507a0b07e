# SPDX-License-Identifier: MIT
"""The commands that the documents show: README.md's code blocks, and the
EXAMPLES of the manual pages. It runs none of them."""

import collections
import glob
import os
import re

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))

# text: as it is typed, in one line and without sudo; for a program or a file
# what it is and where, and the whole of it in body.
Shown = collections.namedtuple('Shown', 'where text body')


def plain(roff):
    """What man(1) shows of it."""
    for escape, character in (('\\-', '-'), ('\\e', '\\'), ('\\(aq', "'"),
                              ('\\&', '')):
        roff = roff.replace(escape, character)
    return roff


def is_open(line):
    """Whether the next line belongs to this one."""
    return line.endswith(('\\', '&&', '|')) or line.count("'") % 2


def commands(block):
    line = ''
    for part in block.split('\n'):
        line += (' ' if line else '') + part.strip()
        if is_open(line):
            line = line[:-1].rstrip() if line.endswith('\\') else line
            continue
        line = re.sub(r'\s+# .*', '', line)
        line = re.sub(r'(^|&& )sudo ', r'\1', line)
        if line:
            yield line
        line = ''
    if line:
        yield line


def shown_in(name, block):
    page = os.path.basename(name)
    for start, what in (('[', 'configuration'), ('#include', 'program in C'),
                        ('import ', 'program in Python')):
        if block.startswith(start):
            yield Shown(name, '%s of %s' % (what, page), block)
            return
    for command in commands(block):
        yield Shown(name, command, command)


def of_readme():
    with open(os.path.join(TOP, 'README.md')) as f:
        text = f.read()
    for block in re.findall(r'(?<=\n\n)((?:    .*\n|\n(?=    ))+)', text):
        block = re.sub('^    ', '', block, flags=re.M)
        if '--->' not in block and '----|' not in block:  # a picture
            yield from shown_in('README.md', block)


def of_page(path):
    with open(path) as f:
        text = f.read()
    match = re.search(r'^\.SH EXAMPLES?\n(.*?)(?=^\.SH |\Z)', text, re.M | re.S)
    name = os.path.relpath(path, TOP)
    for block in re.findall(r'^\.(?:nf|EX)\n(.*?)^\.(?:fi|EE)$',
                            match[1] if match else '', re.M | re.S):
        yield from shown_in(name, plain(block))


def all_shown():
    found = list(of_readme())
    for path in sorted(glob.glob(os.path.join(TOP, 'doc', 'man', '*.[0-9]'))):
        found += of_page(path)
    return found
