#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one style check over the repository: style.py CHECK [ROOT].

Prints file:line, the fault and its remedy. Ends with 0, 1 for faults, or 77
where the machine lacks what the check needs.
"""
import os
import sys

import floors
import headers
import texts
import tools
from tree import Skip, Tree

CHECKS = {
    'floors': floors.check,
    'headers': headers.check,
    'spdx': texts.spdx,
    'size': texts.size,
    'marks': texts.marks,
    'words': texts.words,
    'layout': tools.layout,
    'shell': tools.shell,
    'python': tools.python,
    'man': tools.man,
}


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in CHECKS:
        print(f'usage: style.py {"|".join(CHECKS)} [ROOT]', file=sys.stderr)
        return 2
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[2] if len(sys.argv) == 3 else os.path.join(here, '../..')
    try:
        faults = list(CHECKS[sys.argv[1]](Tree(root)))
    except Skip as reason:
        print(f'SKIP: {reason}')
        return 77
    for file, line, text in faults:
        print(f'{file}:{line}: {text}')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
