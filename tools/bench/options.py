# SPDX-License-Identifier: MIT
"""What the benchmark can be told, and refuses to be told: all of it is known
to be of use before half an hour is spent on it."""

import argparse
import math
import os

MARKS = '<!-- bench -->', '<!-- /bench -->'

# Of UDP; a packet of more does not pass the interfaces' MTU.
LEAST_SIZE, MOST_SIZE = 8, 1472


def runs(text):
    """At least one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            '%r: a whole number, 1 or more' % text)
    return int(text)


def number(text):
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def seconds(text):
    """Of a measurement."""
    if not number(text) > 0:
        raise argparse.ArgumentTypeError(
            '%r: a number of seconds, more than 0' % text)
    return number(text)


def patience(text):
    if not number(text) >= 0:
        raise argparse.ArgumentTypeError(
            '%r: a number of seconds, 0 or more' % text)
    return number(text)


def sizes(text):
    chosen = text.split(',')
    for word in chosen:
        if not word.isdecimal() or \
                not LEAST_SIZE <= int(word) <= MOST_SIZE:
            raise argparse.ArgumentTypeError(
                '%r: bytes from %d to %d, with commas between' % (
                    word, LEAST_SIZE, MOST_SIZE))
    return [int(word) for word in chosen]


def one_of(names):
    """Words of them, with commas between."""
    def chosen(text):
        for word in text.split(','):
            if word not in names:
                raise argparse.ArgumentTypeError(
                    '%r: there are %s' % (word, ', '.join(names)))
        return list(dict.fromkeys(text.split(',')))
    return chosen


def path_words(text):
    return [word.strip() for word in text.split(',')]


def check_paths(words, names):
    """Raises ValueError for a word that no name has."""
    for word in words:
        if not word or not any(word in name for name in names):
            raise ValueError('--paths: %r is in the name of none: %s' % (
                word, ', '.join(names)))


def check_file(option, path):
    """Raises ValueError if the file cannot be written, or is not to be seen
    from within."""
    if os.path.realpath(path).startswith('/run/'):
        raise ValueError('%s: %s: the benchmark has a /run of its own, choose '
                         'another place' % (option, path))
    new = not os.path.lexists(path)
    try:
        with open(path, 'a'):
            pass
    except OSError as e:
        raise ValueError('%s: %s: %s' % (option, path, e.strerror)) from e
    if new:
        os.unlink(path)


def check_page(option, path):
    """The same of a page, which has to be there, with both its marks."""
    try:
        with open(path) as f:
            between(f.read())
    except OSError as e:
        raise ValueError('%s: %s: %s' % (option, path, e.strerror)) from e
    except ValueError as e:
        raise ValueError('%s: %s: it needs %s and, behind that, %s' % (
            option, path, *MARKS)) from e
    check_file(option, path)


def between(page):
    """Where the text between the marks begins and ends."""
    begin = page.index(MARKS[0]) + len(MARKS[0])
    return begin, page.index(MARKS[1], begin)
