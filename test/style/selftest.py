#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that each style check can fail: every case is a tiny tree, made in a
temporary directory, and what the check must say of it. A case that expects
nothing proves that the check can pass."""
import os
import sys
import tempfile

from style import CHECKS
from tree import Skip, Tree

HEADER = '/* SPDX-License-Identifier: MIT */\n'
HASH = '# SPDX-License-Identifier: MIT\n'

# check, files, the place of the fault (or None)
CASES = [
    ('floors', {'daemon/base/a.h': HEADER,
                'daemon/packet/b.c': '#include "base/a.h"\n',
                'daemon/net/b.c': '#include <sys/socket.h>\n',
                'daemon/fuse/c.c': '#include <fuse3/fuse_lowlevel.h>\n',
                'daemon/loop.c': '#include <event2/event.h>\n',
                'daemon/main.c': '#include "base/a.h"\n',
                'client-lib/c.h': HEADER,
                'client-lib/c.c': '#include "c.h"\n#include <tunclient.h>\n',
                'client-lib/carry.h': HEADER,
                'tools/a/c.c': '#include "carry.h"\n',
                'daemon/fuse/workers.h': HEADER,
                'tools/a/d.c': '#include "fuse/workers.h"\n',
                }, None),
    ('floors', {'daemon/dev/a.h': HEADER,
                'daemon/base/b.c': '\n#include "dev/a.h"\n'},
     'daemon/base/b.c:2'),
    ('floors', {'daemon/net/a.h': HEADER,
                'daemon/fuse/b.c': '#include "net/a.h"\n'},
     'daemon/fuse/b.c:1'),
    ('floors', {'daemon/loop.h': HEADER,
                'daemon/net/b.c': '# include "loop.h"\n'},
     'daemon/net/b.c:1'),
    ('floors', {'daemon/base/a.h': HEADER,
                'daemon/base/b.c': '#include "a.h"\n'}, 'daemon/base/b.c:1'),
    ('floors', {'client-lib/a.h': HEADER,
                'daemon/base/b.c': '#include "../client-lib/a.h"\n'},
     'daemon/base/b.c:1'),
    ('floors', {'daemon/new/b.c': '#include <stdio.h>\n'},
     'daemon/new/b.c:1'),
    ('floors', {'daemon/dev/b.c': '#include <sys/socket.h>\n'},
     'daemon/dev/b.c:1'),
    ('floors', {'daemon/packet/b.c': '#include <linux/netlink.h>\n'},
     'daemon/packet/b.c:1'),
    ('floors', {'daemon/main.c': '#include <event2/event.h>\n'},
     'daemon/main.c:1'),
    ('floors', {'daemon/main.c': '#include <linux/fuse.h>\n'},
     'daemon/main.c:1'),
    ('floors', {'daemon/main.c': '#include <tunclient.h>\n'},
     'daemon/main.c:1'),
    ('floors', {'daemon/base/a.h': HEADER,
                'client-lib/b.c': '#include "base/a.h"\n'},
     'client-lib/b.c:1'),
    ('floors', {'client-lib/b.c': '#include <libmnl/libmnl.h>\n'},
     'client-lib/b.c:1'),
    ('floors', {'client-lib/a.h': HEADER,
                'tools/b.c': '#include "a.h"\n'}, 'tools/b.c:1'),
    ('floors', {'client-lib/carry.h': HEADER,
                'examples/b.c': '#include "carry.h"\n'},
     'examples/b.c:1'),
    ('floors', {'client-lib/a.h': HEADER,
                'tools/b.c': '#include "../client-lib/a.h"\n'},
     'tools/b.c:1'),
    ('floors', {'include/tund/abi.h': HEADER,
                'examples/b.c': '#include "../include/tund/abi.h"\n'},
     'examples/b.c:1'),
    ('floors', {'include/tunclient.h': '#include "tund/abi.h"\n'},
     'include/tunclient.h:1'),

    ('headers', {'daemon/base/a.h': '#pragma once\n#include <stdint.h>\n'
                                    'uint8_t a(void);\n'}, None),
    ('headers', {'daemon/base/a.h': 'uint8_t a(void);\n'},
     'daemon/base/a.h:1'),
    ('headers', {'daemon/base/a.h': 'enum a { B };\n'}, 'daemon/base/a.h:1'),
    ('headers', {'include/a.h': 'int a(int class);\n'}, 'include/a.h:1'),
    ('headers', {'include/a.h': '#include <sys/types.h>\n'
                                'static inline typeof(int) a(void)'
                                ' { return 0; }\n'}, 'include/a.h:1'),

    ('spdx', {'a.c': HEADER, 'b': '#!/bin/sh\n' + HASH, 'c.md': 'x\n',
              'LICENSE': 'x\n', 'debian/control': 'x\n', 'd.build': HASH, 'e.bin': 'a\0b'}, None),
    ('spdx', {'a.c': '/* a */\n'}, 'a.c:1'),
    ('spdx', {'a.build': "project('a')\n"}, 'a.build:1'),
    ('spdx', {'debian/rules': '#!/usr/bin/make -f\n'}, 'debian/rules:1'),
    ('spdx', {'tool': '#!/bin/sh\nexit\n'}, 'tool:1'),

    ('size', {'a.c': '\n' * 600}, None),
    ('size', {'a.c': '\n' * 601}, 'a.c:601'),
    ('size', {'include/a.h': '/*\n' + '\n' * 601 + '*/\n'}, None),
    ('size', {'include/a.h': '/*\n*/\n' + '\n' * 601}, 'include/a.h:601'),
    ('size', {'a': '#!/bin/bash\n' + '\n' * 601}, 'a:601'),

    ('marks', {'a.c': 'mkstemp("/tmp/x.XXXX' 'XX");\n'}, None),
    ('marks', {'a.c': '\n/* TO' 'DO: more */\n'}, 'a.c:2'),
    ('marks', {'a.md': 'FIX' 'ME\n'}, 'a.md:1'),
    ('marks', {'a.py': '# XX' 'X\n'}, 'a.py:1'),

    ('words', {'a.md': 'https://example.org/work/ net/work/x\n'}, None),
    ('words', {'a.sh': 'cd /wo' 'rk/main\n'}, 'a.sh:1'),
    ('words', {'a.md': '\nhttp://mirror.inter' 'nal/debian\n'}, 'a.md:2'),

    ('layout', {'.clang-format': 'BasedOnStyle: LLVM\n',
                'a.c': 'int a;\n'}, None),
    ('layout', {'.clang-format': 'BasedOnStyle: LLVM\n',
                'a.c': 'int b;\nint   a;\n'}, 'a.c:2'),

    ('shell', {'a.sh': '#!/bin/sh\necho "$1"\n'}, None),
    ('shell', {'a': '#!/bin/sh\necho $1\n'}, 'a:2'),

    ('python', {'a.py': 'a = 1\n'}, None),
    ('python', {'a.py': 'a = 1\nb = (\n'}, 'a.py:2'),

    ('man', {'doc/man/a.1': '.TH A 1\n.SH NAME\na \\- b\n'}, None),
    ('man', {'doc/man/a.1': '.TH A 1\n.SH NAME\na \\- b\n.NOSUCH\n'},
     'doc/man/a.1:4'),
    ('man', {'doc/man/a.1': '.TH A 1\n.SH NAME\na \\- b\n',
             'doc/man/c.1': '.so man1/a.1\n'}, None),
    ('man', {'doc/man/c.1': '.so man1/a.1\n'}, 'doc/man/c.1:1'),
]


def verdict(check, files):
    with tempfile.TemporaryDirectory() as root:
        for file, text in files.items():
            path = os.path.join(root, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w', encoding='utf-8') as stream:
                stream.write(text)
        return [f'{file}:{line}' for file, line, _
                in CHECKS[check](Tree(root))]


def main():
    wrong = 0
    skipped = {}
    for check, files, place in CASES:
        try:
            places = verdict(check, files)
        except Skip as reason:
            skipped[check] = reason
            continue
        if sorted(set(places)) != ([place] if place else []):
            print(f'{check} on {files}:\n  expected {place}, '
                  f'found {places or None}')
            wrong += 1
    for check in CHECKS:
        if not any(check == case[0] and case[2] for case in CASES):
            print(f'{check}: no case proves that it can fail')
            wrong += 1
    for check, reason in skipped.items():
        print(f'SKIP: {check}: {reason}')
    return 1 if wrong else 77 if skipped else 0


if __name__ == '__main__':
    sys.exit(main())
