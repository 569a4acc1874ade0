#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Seeds bugs in a copy of the proved code, and shows that proofs fail.

The bugs stand in proof/mutations.py: a file, a piece of its text that occurs
exactly once, what takes its place, and the function whose contract then no
longer holds: a goal of that function must be left without a proof. One that
all goals let pass has survived: it needs an explanation in its entry, or the
exit status is 1.

A line a mutation: which goal it left open, or that it survived.
"""
import shutil
import sys
from pathlib import Path

import prove
import wp
from contracts import ROOT, Work

sys.path.insert(0, str(ROOT / "tools"))
import mutate  # noqa: E402

COPIED = ("src", "include", "arch", "proof")

# Nearly all goals of the unchanged code take less than a second; a bug is not
# to be told from a prover that is late, so this is a multiple of it.
TIMEOUT = 8


class Bug(mutate.Mutation):
    def __init__(self, name, file, old, new, function, survives=None):
        super().__init__(name, file, old, new, tests="", survives=survives)
        self.function = function


class Workshop:
    """A copy of the tree with its cache, and the bugs tried in it."""

    def __init__(self, scratch):
        self.tree, self.logs = scratch / "tree", scratch / "logs"
        self.cache = self.tree / "proof/cache"
        self.tree.mkdir()
        self.logs.mkdir()
        for name in COPIED:
            shutil.copytree(ROOT / name, self.tree / name)
        self.functions = Work(prove.UNITS).functions
        self.fit = set()

    def unit_of(self, function):
        for unit, functions in self.functions.items():
            if function in functions:
                return unit
        raise mutate.Failure(f"{function} is not proved")

    def check_fit(self, function):
        """Goals must have proofs, before the lack of one says anything."""
        if function not in self.fit:
            complaints = wp.prove(self.tree, self.logs, self.unit_of(function),
                                  [function], self.cache, TIMEOUT, jobs=2
                                  ).complaints()
            if complaints:
                raise mutate.Failure(f"without it: {complaints[0]}")
            self.fit.add(function)

    def try_mutation(self, bug):
        """The goals without a proof, or None."""
        self.check_fit(bug.function)
        path = self.tree / bug.file
        original = path.read_text()
        path.write_text(bug.apply(original))
        try:
            outcome = wp.run(self.tree, self.logs, self.unit_of(bug.function),
                             [bug.function], self.cache,
                             wp.ALL, "-wp-cache", "update",
                             "-wp-par", 2, "-wp-timeout", TIMEOUT)
        except wp.Failure as failure:
            raise mutate.Failure(str(failure)) from failure
        finally:
            path.write_text(original)
        goals = [goal.replace("typed_", "", 1) for goal in outcome.open]
        if not goals:
            return None
        more = f" and {len(goals) - 1} more" if len(goals) > 1 else ""
        return goals[0] + more


def read_bugs():
    return mutate.read_mutations(Path(__file__).with_name("mutations.py"),
                                 Bug)


if __name__ == "__main__":
    sys.exit(mutate.main(__doc__, read_bugs, Workshop))
