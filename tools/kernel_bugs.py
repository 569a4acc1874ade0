#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Seeds bugs in a copy of the demo kernel, boots each, and says who noticed.

The bugs stand in test/kernel_bugs.py: a file, a piece of its text that occurs
exactly once, what takes its place, and the oracle that has to notice. Each is
built into a kernel of its own, which runs all its work and holds. There are
two kinds of oracles:

    inside    the kernel's own: its probes, its programs, the storm, the count
              of free pages, the audit, the library's ledger; and that it
              reaches its end at all
    outside   tools/oracle.py on the machine as it holds, and the memory map as
              test/machines.py works it out

A line a bug: everybody who noticed. One that is not noticed by whom it should
be, or is noticed inside though only the outside can, makes the exit status 1.
With --few, only those that are part of every test.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boot
import mutate
import oracle

ROOT = mutate.ROOT
sys.path.insert(0, str(ROOT / "test"))
import machines  # noqa: E402

COPIED = ("src", "include", "arch", "port", "kernel", "sources.txt",
          "framehold.mk")
WORK = "storm=100"

# What the console says when an oracle inside has noticed something.
INSIDE = (
    ("bring-up", r"cannot be made|cannot be brought up|not dismissed"),
    ("probe", r"^WRONG: (?!storm)"),
    ("shootdown", r"^probe shootdown: .*, (?!0 stale: ok$)"),
    ("guard", r"^probe guard: .*, (?!0 reads)"),
    ("many", r"^probe many: .*, (?!0 stale: ok$)"),
    ("order", r"^probe order: .*, (?!0 given back .*: ok$)"),
    ("program", r"^program \S+ ended with|^program \S+: not loaded|"
                r"^programs: .*, (?!0 failed)\d+ failed"),
    ("storm", r"^WRONG: storm"),
    ("free count", r"^free pages: (\d+) before, (?!\1 )"),
    ("audit", r"^audit: (?!clean)"),
    ("ledger", r"^PANIC"),
    ("trap", r"^KERNEL (?:FAULT|TRAP)"),
)


class Bug(mutate.Mutation):
    def __init__(self, name, file, old, new, by, arch="x86_64", cpus=2,
                 cpu="", memory="256M", outside_only=False, few=False):
        super().__init__(name, file, old, new, tests="")
        self.by, self.arch, self.outside_only = by, arch, outside_only
        self.cpus, self.cpu, self.memory = cpus, cpu, memory
        self.few = few


def noticed_inside(lines):
    text = "\n".join(lines)
    return [name for name, pattern in INSIDE
            if re.search(pattern, text, re.M)]


def noticed_by_map(lines):
    """The map that the kernel made, as others make it of the same regions."""
    text = "\n".join(lines)
    regions = machines.pieces(text, "region")
    if not machines.LINE["totals"].search(text):
        return []
    return ["outside: map"] if machines.compare_map(
        text, machines.spans_of(regions)) else []


def noticed_outside(held):
    walk = held.walk()
    return [f"outside: {comparison.__name__}"
            for comparison in oracle.COMPARISONS if comparison(held, walk)]


def end_of(held):
    """How it ended, if it never came to hold."""
    if held.running.timed_out:
        return "does not end"
    if held.running.lines and held.running.lines[-1] == "FAIL":
        return "fails"
    return "end"


def noticed(machine, limit):
    """Who notices something on a machine."""
    held = oracle.Held(machine, limit)
    try:
        with held:
            found = noticed_inside(held.lines) + noticed_by_map(held.lines)
            return found + noticed_outside(held)
    except (oracle.Failure, RuntimeError, OSError):
        lines = held.running.lines
        found = noticed_inside(lines) + noticed_by_map(lines)
        return found or [end_of(held)]


class Workshop:
    """A copy of the tree, and a kernel of it for each architecture."""

    def __init__(self, scratch):
        self.scratch, self.tree = scratch, scratch / "tree"
        self.tree.mkdir()
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.tree / name)
        self.ready = set()

    def make(self, arch):
        # Always the same place: what depends on what is kept with full names.
        out = self.scratch / "out" / arch
        done = subprocess.run(
            ["make", "-s", f"-j{mutate.WORKERS}", "-C", "kernel",
             f"ARCH={arch}", f"OUT={out}", "CHECKED=1", "OPTIMISE=-O1",
             "WARNINGS=-w"],
            cwd=self.tree, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise mutate.Failure(f"does not build: {done.stdout[:2000]}")
        return out / "kernel.elf"

    def machine(self, bug, kernel):
        return boot.Machine(bug.arch, kernel, cpu=bug.cpu, cpus=bug.cpus,
                            memory=bug.memory, command=WORK)

    def prepare(self, bug):
        """The kernel without a bug, which nobody may have anything against."""
        if bug.arch in self.ready:
            return
        out, kept = (self.scratch / name / bug.arch for name in ("out",
                                                                 "kept"))
        kernel = self.make(bug.arch)
        found = noticed(self.machine(bug, kernel), 120)
        if found:
            raise mutate.Failure(f"without it: {', '.join(found)}")
        shutil.copytree(out, kept)
        self.ready.add(bug.arch)

    def restore(self, arch):
        out = self.scratch / "out" / arch
        shutil.rmtree(out)
        shutil.copytree(self.scratch / "kept" / arch, out)

    def try_mutation(self, bug):
        self.prepare(bug)
        path = self.tree / bug.file
        original, times = path.read_text(), path.stat()
        path.write_text(bug.apply(original))
        try:
            found = noticed(self.machine(bug, self.make(bug.arch)), 60)
        finally:
            path.write_text(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            self.restore(bug.arch)
        line = ", ".join(found) or "nobody"
        if bug.by not in found:
            raise mutate.Failure(f"{bug.by} did not notice; {line} did")
        if bug.outside_only and not all(name.startswith("outside: ")
                                        for name in found):
            raise mutate.Failure(f"only the outside was to notice; {line} did")
        return line


def read_bugs():
    return mutate.read_mutations(ROOT / "test/kernel_bugs.py", Bug)


def read_few():
    return [bug for bug in read_bugs() if bug.few]


if __name__ == "__main__":
    if "--few" in sys.argv:
        sys.argv.remove("--few")
        sys.exit(mutate.main(__doc__, read_few, Workshop))
    sys.exit(mutate.main(__doc__, read_bugs, Workshop))
