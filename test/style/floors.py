# SPDX-License-Identifier: MIT
"""Who may include whom: the floors of the daemon, and the fences around the
library, the tools and the examples. Reads #include lines, nothing else."""
import os
import re

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')

# A folder of the daemon: its floor. Folders on one floor are strangers.
FLOORS = {'base': 1, 'packet': 2, 'dev': 3, 'net': 4, 'fuse': 4, 'ctl': 4}
TOP = 5

PUBLIC = re.compile(r'tunclient\.h|tund/.*')

# Of client-lib/, what `tundctl run` and the preload object have in common.
CARRIED = {'carry.h', 'fetch.h', 'message.h'}

# Of daemon/, what the benchmark's FUSE server that does nothing has from it.
COMPARED = {'fuse/workers.h'}

EVENT = re.compile(r'event2/.*|event\.h|ev(http|dns|util|rpc)\.h')
FUSE = re.compile(r'fuse3/.*|fuse(_lowlevel|_common|_opt|_log)?\.h'
                  r'|linux/fuse\.h')
SOCKET = re.compile(r'sys/(socket|un)\.h|netpacket/.*|libmnl/.*'
                    r'|linux/(netlink|rtnetlink|if_packet|sock_diag)\.h')

# Beside libc: what a program that links the library must not be made to load.
LIBRARIES = (EVENT, FUSE, re.compile(
    r'libmnl/.*|ini\.h|cap-ng\.h|jansson\.h|seccomp\.h|systemd/.*|bpf/.*'))


def includes(tree, file):
    for number, line in enumerate(tree.lines(file), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] == '"', match[2]


def check(tree):
    sources = [f for f in tree.ending('.c', '.h')]
    for file in sources:
        room = file.split('/')[0]
        for number, quoted, name in includes(tree, file):
            if room == 'daemon':
                fault = daemon(tree, file, quoted, name)
            elif room in ('client-lib', 'tools', 'examples'):
                fault = outside(tree, file, room, quoted, name)
            elif room == 'include':
                fault = public(quoted, name)
            else:
                fault = None
            if fault:
                yield file, number, fault


def folder(file):
    """The floor's folder of a file in daemon/; '' for the top floor."""
    parts = file.split('/')
    return parts[1] if len(parts) > 2 else ''


def daemon(tree, file, quoted, name):
    own = folder(file)
    floor = FLOORS.get(own, TOP)
    if own and own not in FLOORS:
        return (f'daemon/{own}/ has no floor; give it one in '
                'test/style/floors.py')
    if quoted and PUBLIC.fullmatch(name):
        return f'a public header; write <{name}>'
    if quoted:
        target = os.path.normpath('daemon/' + name)
        if target not in tree.files or target != 'daemon/' + name:
            return (f'"{name}" is no file below daemon/; write includes '
                    'relative to daemon/, as in "base/log.h"')
        other = folder(target)
        if other != own and FLOORS.get(other, TOP) >= floor:
            return (f'floor {floor} includes "{name}" of floor '
                    f'{FLOORS.get(other, TOP)}; move the code down, or pass '
                    'a callback from above')
        return None
    if name == 'tunclient.h':
        return 'the daemon does not use its own client library'
    if EVENT.fullmatch(name) and file != 'daemon/loop.c':
        return 'libevent is known to daemon/loop.c only; use loop.h'
    if FUSE.fullmatch(name) and own != 'fuse':
        return 'FUSE is known to daemon/fuse/ only; pass plain data'
    if SOCKET.fullmatch(name) and own in ('packet', 'dev'):
        return (f'daemon/{own}/ knows no sockets; do it in daemon/net/ '
                '(layouts are in net/if.h, linux/if_ether.h)')
    return None


def outside(tree, file, room, quoted, name):
    if quoted:
        target = os.path.join(os.path.dirname(file), name)
        if room == 'tools' and name in CARRIED:
            target = 'client-lib/' + name
        if room == 'tools' and name in COMPARED:
            target = 'daemon/' + name
        if target != os.path.normpath(target) or target not in tree.files:
            return (f'"{name}" is not in this folder; {room}/ uses its own '
                    'files and the public headers <tunclient.h>, '
                    '<tund/abi.h>')
    elif room == 'client-lib' and any(l.fullmatch(name) for l in LIBRARIES):
        return f'<{name}>: the library needs libc alone'
    return None


def public(quoted, name):
    if quoted:
        return f'a public header is installed alone; write <{name}>'
    if any(l.fullmatch(name) for l in LIBRARIES):
        return f'<{name}>: a public header needs libc and linux/ alone'
    return None
