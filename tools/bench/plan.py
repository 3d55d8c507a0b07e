# SPDX-License-Identifier: MIT
"""How much is measured, and in which order: all variants in turn, then all of
them again. What is measured is the business of the parts."""

import statistics
import subprocess
import time

import scene
from figures import KERNEL
from scene import tt


# Of one measurement, which is made again.
FAILURES = (tt.Failure, OSError, ValueError, subprocess.TimeoutExpired)


class Plan:
    """quick: what a run of two minutes has time for, which is no result."""

    def __init__(self, opts):
        self.opts, self.quick = opts, opts.quick
        self.runs = opts.runs or (2 if self.quick else 7)
        self.seconds = opts.seconds or (0.25 if self.quick else 0.5)
        self.sizes = opts.sizes or ([64, 1400] if self.quick else
                                    [64, 512, 1400])
        self.used = []
        self.begin = time.monotonic()
        self.stolen = scene.stolen()

    def wants(self, path):
        return not self.opts.paths or path.name == KERNEL or any(
            word in path.name for word in self.opts.paths)

    def noise(self):
        """What part of the machine others used before the rounds, and what
        the hypervisor took."""
        stolen, total = [b - a for a, b in zip(self.stolen, scene.stolen())]
        return {'stolen': stolen / max(1, total),
                'max': max(self.used, default=0),
                'median': statistics.median(self.used or [0])}

    def progress(self, text):
        print('[%4d s] %s' % (time.monotonic() - self.begin, text),
              flush=True)

    def alternate(self, s, table, variants, measure, runs=None):
        """measure(path, **keys) for each variant, a pair of path and keys;
        it returns values for the table. What cannot be had is left out, and
        what fails three times, too."""
        runs = runs or self.runs
        failures = {}
        for number in range(runs):
            self.used.append(scene.wait_quiet(self.opts.patience))
            self.progress('%s: run %d of %d' % (table.name, number + 1, runs))
            # Forwards and backwards: nobody always follows the same.
            for path, keys in variants[::-1 if number % 2 else 1]:
                while path.name not in table.left_out:
                    try:
                        table.add(path.name, measure(path, **keys), **keys)
                        break
                    except scene.NotHere as e:
                        table.leave_out(path.name, str(e))
                    except FAILURES as e:
                        self.progress('%s %s: %s' % (path.name, keys, e))
                        failures[path.name] = failures.get(path.name, 0) + 1
                        if failures[path.name] > 2:
                            table.leave_out(path.name, 'fails: %s' % e)
                    finally:
                        s.clear()
