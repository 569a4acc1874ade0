#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Looks at the demo kernel's page tables from outside, while it holds still.

The kernel says what it meant to map, and stays. The machine is stopped, and
three answers to what is mapped are compared, page for page, permissions and
memory types included:

    intents   what the kernel meant
    walk      a walk of the machine's RAM, by code of its own: walker.py
    QEMU      what the emulator shows: `info tlb` of x86-64, `info mem` of
              RISC-V; and `gva2gpa`, page by page, which is all that there is
              for AArch64 and says nothing about permissions

And: every CPU is on the tables that the kernel named, nothing is mapped in the
lower half, what the linear map holds is RAM, and nothing else is; nobody's
table can be reached by two ways. Each discrepancy is a line: the addresses,
what was meant, what was found, and by whom.
"""
import argparse
import random
import re
import shutil
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import boot
import monitor as qemu
from walker import (CACHES, FORMATS, PAGE, PAGES_END, Memory, Run, Walk,
                    letters, merge)

sys.path.insert(0, str(boot.ROOT / "test"))
import machines as matrix  # noqa: E402

ARCHS = ("x86_64", "riscv64", "aarch64")
UPPER = PAGES_END // 2
# Found at most, of one comparison: a shifted map differs in every page.
SHOWN = 20


# ---- What the kernel meant ----

class Intents(NamedTuple):
    root: int
    levels: int
    runs: list
    names: list         # (first page, end, name), in the order of addresses

    def name_of(self, page):
        for first, end, name in self.names:
            if first <= page < end:
                return name
        return "nothing"


ROOT = re.compile(r"^root 0x([0-9a-f]+) levels (\d+) format (\S+)$", re.M)
INTENT = re.compile(r"^intent 0x([0-9a-f]+) \+0x([0-9a-f]+) 0x([0-9a-f]+) "
                    r"([r-][w-][x-][u-][g-]) (\d+) (.+)$", re.M)
COUNT = re.compile(r"^intents (\d+)$", re.M)


class Failure(Exception):
    """There is nothing to compare."""


def read_intents(text):
    text = text.replace("\r", "")
    root, count = ROOT.search(text), COUNT.search(text)
    found = INTENT.findall(text)
    if root is None or count is None or len(found) != int(count.group(1)):
        raise Failure("the kernel has not told all of its intents")
    runs = sorted(Run(int(va, 16) // PAGE, int(pages, 16),
                      int(pa, 16) // PAGE, access, int(cache))
                  for va, pages, pa, access, cache, _ in found)
    for before, after in zip(runs, runs[1:]):
        if before.end > after.page:
            raise Failure(f"two intents for 0x{after.page * PAGE:x}")
    names = sorted((int(va, 16) // PAGE,
                    int(va, 16) // PAGE + int(pages, 16), name)
                   for va, pages, _, _, _, name in found)
    return Intents(int(root.group(1), 16), int(root.group(2)), merge(runs),
                   names)


# ---- Comparing ----

def describe(run):
    if run is None:
        return "nothing"
    words = [f"0x{run.frame * PAGE:x}"]
    if run.access is not None:
        words.append(run.access)
    if run.cache is not None:
        words.append(CACHES[run.cache])
    return " ".join(words)


def cut(run, first, end):
    return run._replace(page=first, count=end - first,
                        frame=run.frame + first - run.page)


def lay_side_by_side(left, right):
    """(first, end, run or None, run or None) of pages that either has."""
    borders = sorted({border for run in [*left, *right]
                      for border in (run.page, run.end)})
    at = [0, 0]
    for first, end in zip(borders, borders[1:]):
        found = []
        for side, runs in enumerate((left, right)):
            while at[side] < len(runs) and runs[at[side]].end <= first:
                at[side] += 1
            run = runs[at[side]] if at[side] < len(runs) else None
            found.append(cut(run, first, end)
                         if run and run.page <= first else None)
        if found != [None, None]:
            yield first, end, *found


def differ(left, right):
    if left is None or right is None:
        return True
    return any(a != b for a, b in zip(left[2:], right[2:])
               if a is not None and b is not None)


def kind_of(meant, found):
    if meant is None:
        return "mapped, and not meant to be"
    if found is None:
        return "not mapped"
    if meant.frame != found.frame:
        return "mapped elsewhere"
    return "allows other things"


def compare(meant, found, whose, by, name_of):
    """Lines about where two lists of runs differ."""
    lines = []
    for first, end, left, right in lay_side_by_side(meant, found):
        if differ(left, right):
            lines.append(
                f"0x{first * PAGE:x} +{end - first} pages ({name_of(first)}): "
                f"{kind_of(left, right)}: {whose} {describe(left)}, {by} "
                f"{describe(right)}")
    return lines


def lower_half(runs, by):
    return [f"0x{run.page * PAGE:x} +{run.count} pages: {by} has "
            f"{describe(run)} in the lower half"
            for run in runs if run.page < UPPER]


# ---- Probing single pages ----

def pages_to_probe(runs, seed, most):
    """Every page near a border; of the rest as many as there is time for."""
    pages = {0, 1, 0x100, 0x400, 0x10000, 0x40200, 0x80200, UPPER - 1, UPPER,
             PAGES_END - 1}
    for run in runs:
        for border in (run.page, run.end, run.page + 512 - run.page % 512,
                       run.end - run.end % 512):
            pages.update(page % PAGES_END for page in
                         range(border - 2, border + 2))
    every = [page for run in runs if run.count <= 512
             for page in range(run.page, run.end)]
    chance = random.Random(seed)
    if len(every) > most // 2:
        every = chance.sample(every, most // 2)
    pages.update(every)
    while runs and len(pages) < most:
        run = chance.choice(runs)
        pages.add(chance.randrange(run.page, run.end))
        pages.add(chance.randrange(PAGES_END))
    return sorted(pages)


def probe(monitor, intents, seed, most, cpu):
    lines, at, runs = [], 0, intents.runs
    for page in pages_to_probe(runs, seed, most):
        while at < len(runs) and runs[at].end <= page:
            at += 1
        meant = None
        if at < len(runs) and runs[at].page <= page:
            meant = runs[at].frame + page - runs[at].page
        found = qemu.translate(monitor, page, cpu)
        if found != meant:
            lines.append(f"0x{page * PAGE:x} ({intents.name_of(page)}): "
                         "intent " + ("nothing" if meant is None else
                                      f"0x{meant * PAGE:x}") +
                         f", QEMU's gva2gpa on cpu {cpu} " +
                         ("nothing" if found is None else
                          f"0x{found * PAGE:x}"))
    return lines


# ---- The machine ----

class Held:
    """A machine that has said HOLD, stopped; what can be seen of it."""

    def __init__(self, machine, limit=60):
        self.machine = machine
        self.folder = None
        self.limit = limit

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="framehold-oracle-")
        place = Path(self.folder.name)
        self.machine.memory_file = place / "ram"
        self.machine.monitor = place / "monitor"
        self.machine.command = f"{self.machine.command} hold".strip()
        if self.machine.arch == "x86_64":
            self.machine.intents = place / "intents"
        self.running = boot.Running(self.machine, self.limit)
        try:
            self._look()
        except BaseException:
            self._end()
            raise
        return self

    def _look(self):
        if not self.running.read_until("HOLD"):
            self.ending = self.running.end()
            raise Failure(f"no HOLD: {self.ending.why}")
        self.monitor = qemu.Monitor(self.machine.monitor, self.limit)
        self._stop()
        self.lines = list(self.running.lines)
        text = "\n".join(self.lines)
        if self.machine.intents is not None:
            text = self.machine.intents.read_text(errors="replace")
        self.intents = read_intents(text)
        self.flat = qemu.flat_view(self.monitor.human("info mtree -f"))
        self.memory = Memory(self.machine.memory_file,
                             qemu.ram_pieces(self.monitor))

    def _stop(self):
        """When a CPU is in the kernel: firmware that it calls has no tables.

        Which of them was the first one is chance, where firmware chooses.
        """
        for attempt in range(40):
            self.monitor.command("stop")
            for cpu in range(qemu.cpu_count(self.monitor)):
                if qemu.is_in_kernel(self.monitor, self.machine.arch, cpu):
                    self.cpu = cpu
                    return
            self.monitor.command("cont")
            # Longer each time: the emulator may not have had a turn.
            time.sleep(min(0.001 * 2 ** attempt, 1))
        raise Failure("all CPUs stay in firmware")

    def _end(self):
        self.running.end(kill=True)
        self.folder.cleanup()

    def __exit__(self, *error):
        self.monitor.close()
        self._end()

    def listed(self):
        return qemu.listed(self.monitor, self.machine.arch, self.cpu)

    def walk(self):
        return Walk(self.memory, FORMATS[self.machine.arch],
                    self.intents.root, self.intents.levels)


# ---- The comparisons ----

def walk_is_sound(held, walk):
    """What hardware or reason would object to."""
    return list(walk.complaints)


def walk_is_as_meant(held, walk):
    return compare(held.intents.runs, walk.runs, "intent", "walk",
                   held.intents.name_of)


def list_is_as_meant(held, walk):
    if held.machine.arch not in qemu.LISTS:
        return None
    name = qemu.LISTS[held.machine.arch][0]
    return compare(held.intents.runs, held.listed(), "intent",
                   f"QEMU's {name}", held.intents.name_of)


def list_is_as_walked(held, walk):
    if held.machine.arch not in qemu.LISTS:
        return None
    name = qemu.LISTS[held.machine.arch][0]
    return compare(walk.runs, held.listed(), "walk", f"QEMU's {name}",
                   held.intents.name_of)


def probes_are_as_meant(held, walk):
    return probe(held.monitor, held.intents, 1, 1500, held.cpu)


def every_cpu_is_on_these_tables(held, walk):
    """By its registers; and by a few pages, where those are not shown."""
    lines = []
    for cpu in range(qemu.cpu_count(held.monitor)):
        root = qemu.root_of(held.monitor, held.machine.arch, cpu)
        if root is not None and root != held.intents.root:
            lines.append(f"cpu {cpu} is on 0x{root:x}, the kernel's table is "
                         f"0x{held.intents.root:x}")
        if cpu != held.cpu and qemu.is_in_kernel(held.monitor,
                                                 held.machine.arch, cpu):
            lines += probe(held.monitor, held.intents, cpu, 200, cpu)
    return lines


def hardware_heeds_the_tables(held, walk):
    """By registers of every CPU in the kernel, where QEMU shows them."""
    if not qemu.WATCHFUL[held.machine.arch] or held.machine.cpu:
        return None     # another CPU than the best one may not have all
    return [f"cpu {cpu}: {name} is 0x{value:x}"
            for cpu in range(qemu.cpu_count(held.monitor))
            if qemu.is_in_kernel(held.monitor, held.machine.arch, cpu)
            for name, value in qemu.careless(held.monitor, held.machine.arch,
                                             cpu)]


def lower_half_is_empty(held, walk):
    lines = lower_half(held.intents.runs, "intent")
    lines += lower_half(walk.runs, "walk")
    if held.machine.arch in qemu.LISTS:
        lines += lower_half(held.listed(), "QEMU")
    return lines


def linear_map_is_of_ram(held, walk):
    """By the machine's own wiring, whatever the kernel thought was RAM.

    And by what firmware said: memory that it keeps is in no linear map.
    """
    wired = merge(Run(begin // PAGE, (end - begin) // PAGE, 0, None, None)
                  for begin, end, kind, name, _ in held.flat
                  if kind == "ram" and name == "ram")
    regions = matrix.pieces("\n".join(held.lines), "region")
    if held.machine.module is not None:
        regions += matrix.read_e820(held.machine.module)
    kept = [(base, base + size) for base, size, kind in regions
            if kind in matrix.NO_RAM]
    lines = []
    for first, end, name in held.intents.names:
        if name != "linear":
            continue
        for run in walk.runs:
            low, high = max(run.page, first), min(run.end, end)
            if low >= high:
                continue
            part = cut(run, low, high)
            begin, stop = part.frame, part.frame + part.count
            if not any(ram.page <= begin and stop <= ram.end
                       for ram in wired):
                lines.append(f"0x{low * PAGE:x} +{high - low} pages: walk "
                             f"{describe(part)}, where not all is RAM")
            lines += [f"0x{low * PAGE:x} +{high - low} pages: walk "
                      f"{describe(part)}, firmware keeps 0x{a:x} to 0x{b:x}"
                      for a, b in kept
                      if max(a, begin * PAGE) < min(b, stop * PAGE)]
    return lines


def segments(path):
    """(first page, pages, frame, flags) of what an ELF file has to load."""
    data = path.read_bytes()
    at, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, flags, _, va, pa, _, length = struct.unpack_from(
            "<IIQQQQQ", data, at + i * size)
        if kind == 1 and va // PAGE >= UPPER:
            first, end = va // PAGE, -(-(va + length) // PAGE)
            yield first, end - first, pa // PAGE, flags


def image_is_as_linked(held, walk):
    """By the file's own headers. Data may have holes: below stacks."""
    lines, linked = [], []
    for first, count, frame, flags in segments(held.machine.kernel):
        linked.append(Run(first, count, frame, letters(
            True, flags & 2, flags & 1, False, True), 0))
    inside = [cut(run, max(run.page, image.page), min(run.end, image.end))
              for image in linked for run in walk.runs
              if max(run.page, image.page) < min(run.end, image.end)]
    for first, end, left, right in lay_side_by_side(merge(linked),
                                                    merge(inside)):
        if differ(left, right) and not (
                right is None and "w" in left.access and end - first == 1):
            lines.append(f"0x{first * PAGE:x} +{end - first} pages: "
                         f"{kind_of(left, right)}: linked "
                         f"{describe(left)}, walk {describe(right)}")
    if not linked:
        lines.append("the kernel's file has nothing to load there")
    return lines


def nothing_is_written_and_run(held, walk):
    """Of a frame, by all of its addresses together."""
    lines = [f"0x{run.page * PAGE:x} +{run.count} pages can be written and "
             f"run: walk {describe(run)}" for run in walk.runs
             if "w" in run.access and "x" in run.access]
    by_frame = sorted(walk.runs, key=lambda run: run.frame)
    for run in by_frame:
        if "x" not in run.access:
            continue
        lines += [f"0x{run.page * PAGE:x} can be run, and written at "
                  f"0x{other.page * PAGE:x}: walk {describe(run)}, "
                  f"{describe(other)}" for other in by_frame
                  if "w" in other.access and
                  max(run.frame, other.frame) <
                  min(run.frame + run.count, other.frame + other.count)]
    return lines


def every_page_is_accounted_for(held, walk):
    """What was free or taken early, less the kernel's tables, is free again.

    So the boot tables have been given back, all but what the loader brought.
    """
    text = "\n".join(held.lines)
    totals = matrix.LINE["totals"].search(text)
    free = matrix.LINE["free"].search(text)
    if not totals or not free:
        return ["the kernel says nothing of totals"]
    early, given = int(totals.group(2)), int(totals.group(6))
    left = given + early - len(walk.tables)
    if int(free.group(2)) == left:
        return []
    return [f"{given} pages given to the allocator, {early} taken before, "
            f"{len(walk.tables)} tables walked: {left} expected to be free, "
            f"the kernel counts {free.group(2)}"]


COMPARISONS = (walk_is_sound, walk_is_as_meant, list_is_as_meant,
               list_is_as_walked, probes_are_as_meant,
               every_cpu_is_on_these_tables, hardware_heeds_the_tables,
               lower_half_is_empty,
               linear_map_is_of_ram, image_is_as_linked,
               nothing_is_written_and_run, every_page_is_accounted_for)


# ---- Whether the oracle would notice ----

def spoil(runs, chance):
    """(what was done, runs with one of them changed)."""
    runs = list(runs)
    i = chance.randrange(len(runs))
    run = runs[i]
    page = chance.randrange(run.page, run.end)
    before = cut(run, run.page, page)
    one = cut(run, page, page + 1)
    after = cut(run, page + 1, run.end)
    what = chance.choice(("frame", "cache", "gone", "more", *range(5)))
    if what == "frame":
        middle = [one._replace(frame=one.frame ^ 1 << chance.randrange(20))]
    elif what == "cache":
        middle = [one._replace(cache=one.cache ^ 1)]
    elif what == "gone":
        middle = []
    elif what == "more":
        page = run.end
        if i + 1 < len(runs) and runs[i + 1].page == page:
            return spoil(runs, chance)
        before, middle = run, [Run(page % PAGES_END, 1, run.frame + run.count,
                                   run.access, run.cache)]
        after = cut(run, run.end, run.end)
    else:
        letter = "rwxug"[what]
        access = list(one.access)
        access[what] = "-" if access[what] == letter else letter
        middle = [one._replace(access="".join(access))]
    runs[i:i + 1] = [part for part in (before, *middle, after) if part.count]
    return f"{what} at 0x{page * PAGE:x}", sorted(runs)


def spoiled_lists_are_noticed(held, walk, rounds=300):
    chance, lines = random.Random(7), []
    for _ in range(rounds):
        what, runs = spoil(walk.runs, chance)
        if not compare(held.intents.runs, merge(runs), "", "", str):
            lines.append(f"not noticed: {what}")
    return lines


def entries_too_many_are_noticed(held, walk, rounds=8):
    """A leaf once more: where nothing is, in its table or a user's half."""
    chance, lines = random.Random(9), []
    for i in range(rounds):
        base, index, _ = chance.choice(walk.leaves)
        entry = held.memory.table(base)[index]
        if i % 2:
            base = held.intents.root
        free = [j for j, other in enumerate(held.memory.table(base))
                if other == 0 and (j < 256 or not i % 2)]
        if not free:
            continue
        held.memory.change(base, free[0], entry)
        again = held.walk()
        held.memory.restore()
        if not again.complaints and not walk_is_as_meant(held, again):
            lines.append(f"not noticed: 0x{entry:x} as entry {free[0]} of "
                         f"0x{base:x}")
    return lines


def spoiled_entries_are_noticed(held, walk, rounds=4):
    """Single bits of leaves, in a copy of the tables: each kind of bit."""
    chance, lines = random.Random(8), []
    form = FORMATS[held.machine.arch]
    for name, bit in form.visible.items():
        for _ in range(rounds):
            base, index, level = chance.choice(walk.leaves)
            at = bit
            if name == "frame":
                at += 9 * (level - 1) + chance.randrange(6)
            entry = held.memory.table(base)[index]
            held.memory.change(base, index, entry ^ 1 << at)
            again = held.walk()
            held.memory.restore()
            if not again.complaints and not walk_is_as_meant(held, again):
                lines.append(f"not noticed: bit {at} ({name}) of 0x{entry:x} "
                             f"at level {level}")
    return lines


CHECKS = (spoiled_lists_are_noticed, spoiled_entries_are_noticed,
          entries_too_many_are_noticed)


# ---- Running ----

def machines(arch, kernel):
    """Machines that show different tables; the first is the plain one."""
    work = "storm=50"
    yield "", boot.Machine(arch, kernel, cpus=2, command=work)
    if arch == "x86_64":
        yield "4 levels, split RAM", boot.Machine(
            arch, kernel, "pc,max-ram-below-4g=512M", "qemu64", 2, "8G", work)
        for name in ("nuc_setupdata", "overlapping"):
            yield f"map {name}", boot.Machine(
                arch, kernel, cpus=2, memory="6G", command=f"replay {work}",
                module=boot.ROOT / f"data/maps/{name}.e820")
    if arch == "riscv64":
        for mode in ("sv39", "sv48"):
            yield mode, boot.Machine(arch, kernel, cpus=2,
                                     command=f"{mode} {work}")
    if arch == "aarch64":
        yield "cortex-a57", boot.Machine(arch, kernel, cpu="cortex-a57",
                                         cpus=2, command=work)


def look(machine, limit, checks=False):
    """Yields (name, lines) of each comparison; lines None: cannot be made."""
    with Held(machine, limit) as held:
        walk = held.walk()
        for comparison in COMPARISONS + (CHECKS if checks else ()):
            yield comparison.__name__, comparison(held, walk)
        said = "PASS" in held.lines[-2:]
        yield "the_kernel_passed", [] if said else held.lines[-5:]


class Report:
    def __init__(self, tap):
        self.tap, self.count, self.failed = tap, 0, 0

    def add(self, name, lines):
        self.count += 1
        self.failed += bool(lines)
        if self.tap:
            print(f"{'not ok' if lines else 'ok'} {self.count} {name}")
        else:
            print(f"{'FAIL' if lines else 'pass'}  {name}")
        for line in lines[:SHOWN]:
            print(f"{'# ' if self.tap else '      '}{line}")
        if len(lines) > SHOWN:
            print(f"# and {len(lines) - SHOWN} more")
        sys.stdout.flush()

    def end(self):
        if self.tap:
            print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0


def run_machine(report, arch, name, machine, limit):
    title = f"{arch} {name}".strip()
    try:
        for comparison, lines in look(machine, limit, checks=not name):
            if lines is not None:
                report.add(f"{title}: {comparison}", lines)
    except (Failure, RuntimeError, OSError) as error:
        report.add(f"{title}: looked at", [str(error)])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archs", nargs="*", metavar="ARCH", default=ARCHS,
                        help=f"of {', '.join(ARCHS)}")
    parser.add_argument("--tap", action="store_true",
                        help="report in TAP, for a program to read")
    parser.add_argument("--first", action="store_true",
                        help="one machine of each architecture")
    parser.add_argument("--kernel", type=Path,
                        help="one that is built already")
    parser.add_argument("--limit", type=float, default=120)
    options = parser.parse_args()
    report = Report(options.tap)
    for arch in options.archs:
        if arch not in ARCHS:
            parser.error(f"no architecture {arch}")
        if shutil.which(f"qemu-system-{arch}") is None:
            report.add(arch, [f"qemu-system-{arch} is not installed"])
            continue
        try:
            kernel = options.kernel or boot.build(arch)
        except RuntimeError as error:
            report.add(f"{arch}: builds", str(error).splitlines())
            continue
        for name, machine in machines(arch, kernel):
            run_machine(report, arch, name, machine, options.limit)
            if options.first:
                break
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
