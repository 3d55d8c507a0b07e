# SPDX-License-Identifier: MIT
"""What tund(4) says of its differences: the patterns, and the table of them.

It reads the page and knows nothing of traces.  Below the heading DIFFERENCES,
roff comments stand in the entry (.TP) that they belong to:

    .\\" case: PATTERN              must differ, in every column
    .\\" case[file,run]: PATTERN    must differ in these and in no other
    .\\" case-may: PATTERN          may differ, because which of two answers
                                   comes is a matter of time; also with [..]

PATTERN is an fnmatch over `case.step`.  One table there, between the comments
.\\" columns: file run direct and .\\" end of columns, has a row for each entry:
its title, then a word for each column, `yes` or `\\-`.  The words are what the
entry's comments say, so that a reader sees the columns and cannot be misled.
"""

import fnmatch
import re

COLUMNS = ('file', 'run', 'direct')
YES, NO = 'yes', r'\-'

COMMENT = re.compile(r'\.\\"\s*(case(?:-may)?)(?:\[([^]]*)\])?:\s*(\S+)\s*$')


class PageError(Exception):
    """The page contradicts itself."""


class Pattern:
    def __init__(self, number, may, columns, text):
        self.number, self.may, self.text = number, may, text
        self.columns = columns

    def __str__(self):
        return self.text


class Entry:
    """One .TP of DIFFERENCES."""

    def __init__(self, number, title):
        self.number, self.title = number, title
        self.columns = set()


def plain(text):
    """A title without fonts: that of an entry and that of a row are equal."""
    macro = re.match(r'\.(B|I|BR|RB|IR|RI|BI|IB|SM)\s+(.*)', text)
    if macro:
        words = re.findall(r'"((?:[^"]|"")*)"|(\S+)', macro[2])
        words = [quoted or bare for quoted, bare in words]
        text = (' ' if len(macro[1]) == 1 else '').join(words)
    text = re.sub(r'\\f(\[\w*\]|\(..|.)', '', text)
    text = text.replace(r'\-', '-').replace(r'\&', '')
    # BR joins what a row may write with a blank, and the other way round.
    return re.sub(r'\s+', '', text)


def parse_columns(text, where):
    if text is None:
        return frozenset(COLUMNS)
    columns = [word.strip() for word in text.split(',')]
    for word in columns:
        if word not in COLUMNS:
            raise PageError(f'{where}: no column {word!r}: there are '
                            f'{", ".join(COLUMNS)}')
    return frozenset(columns)


class Known:
    """The page, read and checked against itself."""

    def __init__(self, path):
        self.path = path
        self.patterns, self.entries, self.rows = [], [], []
        with open(path) as page:
            self.read([line.rstrip('\n') for line in page])
        if not self.patterns:
            raise PageError(f'{path}: no pattern below DIFFERENCES')

    def read(self, lines):
        inside = in_table = False
        for number, line in enumerate(lines, 1):
            where = f'{self.path}:{number}'
            if re.match(r'\.S[Hh]\b', line):
                inside = 'DIFFERENCES' in line
            if re.match(r'\.\\"\s*columns:', line):
                in_table = True
                self.check_heads(line, where)
            elif re.match(r'\.\\"\s*end of columns', line):
                in_table = False
            elif in_table and '\t' in line:
                self.add_row(line, number)
            elif inside and line.startswith('.TP') and number < len(lines):
                self.entries.append(Entry(number + 1, lines[number]))
            else:
                self.add_pattern(COMMENT.match(line), number, where, inside)

    @staticmethod
    def check_heads(line, where):
        if tuple(line.split(':', 1)[1].split()) != COLUMNS:
            raise PageError(f'{where}: the columns are {" ".join(COLUMNS)}')

    def add_row(self, line, number):
        title, *words = [cell.strip() for cell in line.split('\t')]
        # The row of headings.
        if tuple(plain(w) for w in words) == COLUMNS:
            return
        self.rows.append((number, title, words))

    def add_pattern(self, found, number, where, inside):
        if not found:
            return
        if not inside or not self.entries:
            raise PageError(f'{where}: a pattern outside of an entry of '
                            'DIFFERENCES')
        columns = parse_columns(found[2], where)
        self.entries[-1].columns |= columns
        self.patterns.append(
            Pattern(number, found[1] == 'case-may', columns, found[3]))

    def contradictions(self):
        """What the table says and the comments do not, and the reverse."""
        entries = {}
        for entry in self.entries:
            title = plain(entry.title)
            if entry.columns and title in entries:
                yield entry.number, f'a second entry {entry.title}'
            if entry.columns:
                entries[title] = entry
        for number, title, words in self.rows:
            entry = entries.pop(plain(title), None)
            if not entry:
                yield number, f'{title}: no entry, or a second row'
                continue
            want = [YES if c in entry.columns else NO for c in COLUMNS]
            if words != want:
                yield number, (f'{title}: the table says {" ".join(words)}, '
                               f'the patterns {" ".join(want)}')
        for entry in entries.values():
            yield entry.number, f'{entry.title}: not in the table'

    def matches(self, step, column):
        return any(column in p.columns and fnmatch.fnmatchcase(step, p.text)
                   for p in self.patterns)

    def unused(self, differing, steps, column, lacking=()):
        """Patterns of the column that differ nowhere, or match no step, but
        for those of cases that cannot be tried here."""
        for pattern in self.patterns:
            if column not in pattern.columns or \
                    pattern.text.split('.')[0] in lacking:
                continue
            if pattern.may and not fnmatch.filter(steps, pattern.text):
                yield pattern, 'matches no step'
            if not pattern.may and not fnmatch.filter(differing, pattern.text):
                yield pattern, f'differs nowhere in column {column}'
