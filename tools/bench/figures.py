# SPDX-License-Identifier: MIT
"""What was measured, as tables: of several runs the median with least and
most, and the ratio to the kernel's TUN. It measures nothing."""

import statistics

KERNEL = 'kernel TUN'


class Series:
    """One figure, once for each run."""

    def __init__(self):
        self.runs = []

    @property
    def median(self):
        return statistics.median(self.runs)

    def json(self):
        return {'median': self.median, 'min': min(self.runs),
                'max': max(self.runs), 'runs': self.runs}


class Metric:
    """name: in the results; title: on the screen; main: with least, most and
    ratio, the others only have their median."""

    def __init__(self, name, title, form='%.1f', main=False, scale=1):
        self.name, self.title, self.form = name, title, form
        self.main, self.scale = main, scale

    def text(self, value):
        return self.form % (value * self.scale)


class Table:
    """keys: what tells rows apart, beside 'path', which is always the last;
    base: the path that others are compared with."""

    def __init__(self, name, title, keys, metrics, base=KERNEL, about=''):
        self.name, self.title, self.about = name, title, about
        self.keys, self.metrics, self.base = list(keys), metrics, base
        self.rows = {}
        self.left_out = {}
        self.facts = {}

    def add(self, path, values, **keys):
        key = tuple(keys[k] for k in self.keys) + (path,)
        row = self.rows.setdefault(key, {m.name: Series()
                                         for m in self.metrics})
        for name, series in row.items():
            if values.get(name) is not None:
                series.runs.append(values[name])

    def leave_out(self, path, reason):
        self.left_out.setdefault(path, ' '.join(reason.split()))

    def get(self, metric, path, **keys):
        """The median, or None if there is no such figure."""
        key = tuple(keys[k] for k in self.keys) + (path,)
        series = self.rows.get(key, {}).get(metric)
        return series.median if series and series.runs else None

    def ratio(self, metric, path, base=None, **keys):
        a = self.get(metric, path, **keys)
        b = self.get(metric, base or self.base, **keys)
        return a / b if a is not None and b else None

    def ordered(self):
        """As first seen, but rows with equal keys together."""
        groups = list(dict.fromkeys(key[:-1] for key in self.rows))
        return [(key, row) for group in groups
                for key, row in self.rows.items() if key[:-1] == group]

    def json(self):
        rows = []
        for key, row in self.ordered():
            item = dict(zip(self.keys + ['path'], key))
            for m in self.metrics:
                if row[m.name].runs:
                    item[m.name] = row[m.name].json()
                    if m.main and self.base:
                        item[m.name]['ratio'] = self.ratio(
                            m.name, key[-1], **dict(zip(self.keys, key)))
            rows.append(item)
        return {'title': self.title, 'rows': rows, 'left_out': self.left_out,
                'facts': self.facts}

    def lines(self):
        """The table for people, in Markdown."""
        head = self.keys + ['path']
        for m in self.metrics:
            head += [m.title, 'min', 'max'] if m.main else [m.title]
            if m.main and self.base:
                head.append('ratio')
        body = []
        for key, row in self.ordered():
            cells = [str(k) for k in key]
            for m in self.metrics:
                runs = row[m.name].runs
                cells.append(m.text(row[m.name].median) if runs else '-')
                if not m.main:
                    continue
                cells += [m.text(min(runs)), m.text(max(runs))] \
                    if len(runs) > 1 else ['-', '-']
                if self.base:
                    ratio = self.ratio(m.name, key[-1],
                                       **dict(zip(self.keys, key)))
                    cells.append('-' if ratio is None else '%.2f' % ratio)
            body.append(cells)
        return grid(head, body, len(self.keys) + 1) if body else []

    def runs(self):
        """How often each row was measured: a fact, if there are rows."""
        rows = {}
        for key, row in self.ordered():
            times = len(row[self.metrics[0].name].runs)
            rows.setdefault(times, []).append(' '.join(str(k) for k in key))
        most = max(rows, default=0)
        said = ['%d of each row' % most] + [
            'but %d of %s' % (times, ', '.join(keys))
            for times, keys in rows.items() if times != most]
        return {'Runs': '; '.join(said)} if rows else {}

    def text(self):
        """All about it, with a heading."""
        lines = ['### ' + self.title, '']
        lines += [self.about, ''] if self.about else []
        lines += self.lines()
        for what, fact in {**self.runs(), **self.facts}.items():
            lines += ['', '%s: %s' % (what, fact)]
        if self.left_out:
            lines += ['', 'Left out:', '']
            lines += ['- %s: %s' % item for item in self.left_out.items()]
        return '\n'.join(lines) + '\n'


def grid(head, body, left):
    """A Markdown table; the first `left` columns hold words."""
    width = [max(len(row[i]) for row in [head] + body)
             for i in range(len(head))]

    def line(cells):
        return '| ' + ' | '.join(
            c.ljust(w) if i < left else c.rjust(w)
            for i, (c, w) in enumerate(zip(cells, width))) + ' |'
    rule = '|' + '|'.join('-' * (w + 2) if i < left else '-' * (w + 1) + ':'
                          for i, w in enumerate(width)) + '|'
    return [line(head), rule] + [line(row) for row in body]
