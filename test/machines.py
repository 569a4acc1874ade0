#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""The demo kernel on a matrix of emulated machines, reported in TAP.

A machine passes if the kernel ends with success and says so, and what it says
of memory is what is worked out here, from the map it was given, by other means
than the library's. A machine on which nothing can run passes if it says so in
one line and ends with failure. Nothing depends on how long a boot takes.
"""
import argparse
import itertools
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import boot  # noqa: E402

# Each says something in its first instance, when all else is done.
PROGRAMS = [path.stem for path in (ROOT / "kernel/user").glob("*.c")
            if path.stem != "lib"]

PAGE = 4096
SECTION = (128 << 20) // PAGE
SLOT, LEDGER = 64, 32
# The less usable ones first: they win.
KINDS = ["bad", "unknown", "non-volatile", "reserved", "kernel", "module",
         "framebuffer", "reclaimable", "usable"]
NO_RAM = {"bad", "unknown", "reserved", "framebuffer"}
LINE = {
    "region": re.compile(r"region 0x(\w+) \+0x(\w+) (\S+)$", re.M),
    "span": re.compile(r"span 0x(\w+) \+0x(\w+) (\S+)$", re.M),
    "totals": re.compile(r"totals metadata (\d+) early (\d+) kernel (\d+) "
                         r"unusable (\d+) reserved (\d+) free (\d+)$", re.M),
    "storm": re.compile(r"storm: \d+ CPUs, [1-9]\d* maps ", re.M),
    "free": re.compile(r"free pages: (\d+) before, (\d+) after$", re.M),
}


# ---- What memory should look like ----

def pieces(output, what):
    return [(int(base, 16), int(size, 16), kind)
            for base, size, kind in LINE[what].findall(output)]


def clipped(base, size, kind):
    """Bytes become pages: usable memory inward, everything else outward."""
    first, end = base // PAGE, (base + size) // PAGE
    if kind == "usable":
        first = -(-base // PAGE)
    else:
        end = -(-(base + size) // PAGE)
    return first, end, kind


def spans_of(regions):
    """Regions in bytes, in any order, to spans of pages: by their borders."""
    ranges = [clipped(*region) for region in regions if region[1] > 0]
    ranges = [r for r in ranges if r[0] < r[1]]
    borders = sorted({border for r in ranges for border in r[:2]})
    spans = []
    for low, high in zip(borders, borders[1:]):
        kinds = [k for first, end, k in ranges if first <= low < end]
        if not kinds:
            continue
        kind = min(kinds, key=KINDS.index)
        if spans and spans[-1][2] == kind and \
                spans[-1][0] + spans[-1][1] == low:
            spans[-1] = (spans[-1][0], spans[-1][1] + high - low, kind)
        else:
            spans.append((low, high - low, kind))
    return spans


def replayed(machine_regions, file_regions):
    """The file's map, without what this machine does not have as free RAM."""
    limits, at = [], 0
    for first, count, kind in spans_of(machine_regions):
        limits.append((at * PAGE, (first - at) * PAGE, "reserved"))
        if kind != "usable":
            limits.append((first * PAGE, count * PAGE, kind))
        at = first + count
    limits.append((at * PAGE, ((1 << 40) - at) * PAGE, "reserved"))
    return spans_of(file_regions + limits)


def totals_of(spans):
    """Pages by what becomes of them; metadata, early and free as one sum."""
    ram = [s for s in spans if s[2] not in NO_RAM]
    end = max((first + count for first, count, _ in ram), default=0)
    sections = {s for first, count, _ in ram
                for s in range(first // SECTION,
                               (first + count - 1) // SECTION + 1)}
    with_slots = sum(min(SECTION, end - s * SECTION) for s in sections)
    pages = dict.fromkeys(KINDS, 0)
    for first, count, kind in spans:
        for s in sections if len(sections) < 2048 else ():
            low, high = max(first, s * SECTION), min(
                first + count, (s + 1) * SECTION, end)
            pages[kind] += max(0, high - low)
        if len(sections) >= 2048 and kind not in NO_RAM:
            pages[kind] += count
    zero = 1 if any(first == 0 and kind == "usable"
                    for first, _, kind in spans) else 0
    usable = pages["usable"] - zero
    kernel = pages["kernel"]
    unusable = sum(pages[k] for k in
                   ("bad", "non-volatile", "module", "reclaimable"))
    return {"kernel": kernel, "unusable": unusable, "usable": usable,
            "reserved": with_slots - usable - kernel - unusable,
            "with_slots": with_slots}


def compare_map(output, spans):
    """Complaints about what the kernel said of memory."""
    said = pieces(output, "span")
    if said != spans:
        return [f"spans: {said}, expected {spans}"]
    found = LINE["totals"].search(output)
    if not found:
        return ["no totals"]
    metadata, early, kernel, unusable, reserved, free = map(
        int, found.groups())
    expected = totals_of(spans)
    complaints = [
        f"{name}: {value} pages, expected {expected[name]}"
        for name, value in (("kernel", kernel), ("unusable", unusable),
                            ("reserved", reserved),
                            ("usable", metadata + early + free))
        if value != expected[name]]
    least = expected["with_slots"] * (SLOT + LEDGER) // PAGE
    # Records of the ledger, the allocator's tables, what alignment leaves out.
    if not least <= metadata <= least + least // 8 + 1536:
        complaints.append(f"metadata: {metadata} pages, {least} at least")
    return complaints


def read_e820(path):
    kinds = {1: "usable", 2: "reserved", 3: "reclaimable", 4: "non-volatile",
             5: "bad", 7: "reserved", 12: "reserved"}
    regions = []
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            start, end, kind = int(words[0], 16), int(words[1], 16), int(
                words[2])
            regions.append((start, end + 1 - start, kinds.get(kind,
                                                              "unknown")))
    return regions


# ---- Machines ----

@dataclass
class Case:
    name: str
    machine: boot.Machine
    replay: Path = None       # an e820 file in place of the machine's map
    memory: int = None        # bytes of RAM that the firmware has to tell of
    regions: tuple = ()       # some that it has to tell of
    fails: str = None         # nothing can run here: a line that says so
    says: tuple = ()          # what the console has to say, too


MIB, GIB = 1 << 20, 1 << 30
# Small enough for a matrix; ./fh boot runs more.
WORK = "storm=200"


def x86_cases(kernel):
    sizes = {"133M": ("133M", 133 * MIB, "", False),
             "4G": ("4G", 4 * GIB, "", True),
             "3G-split": ("3G", 3 * GIB, ",max-ram-below-4g=512M", True),
             "64G-lazy": ("64G", 64 * GIB, "", True)}
    for machine, cpu, cpus, size in itertools.product(
            ("pc", "q35", "microvm"), ("qemu64", "max"), (1, 4), sizes):
        memory, ram, more, lazy = sizes[size]
        if more and machine == "microvm":
            continue  # has no such option
        levels = 5 if cpu == "max" else 4
        yield Case(f"x86_64 {machine} {cpu} {cpus} {size}", boot.Machine(
            "x86_64", kernel, machine + more, cpu, cpus, memory, WORK,
            lazy=lazy), memory=ram, says=(f", {levels} levels,",))
    yield Case("x86_64 q35 max,la57=off 4 256M", boot.Machine(
        "x86_64", kernel, "q35", "max,la57=off", 4, "256M", WORK),
        memory=256 * MIB, says=(", 4 levels,",))
    yield Case("x86_64 q35 max 15 512M", boot.Machine(
        "x86_64", kernel, "q35", "max", 15, "512M", "storm=50"),
        memory=512 * MIB, says=("cpus: 15 run",))
    yield Case("x86_64 more CPUs than it has room for", boot.Machine(
        "x86_64", kernel, "q35", "max", 24, "512M", "storm=20"),
        memory=512 * MIB, says=("cpus: 16 run",))
    # The controllers' numbers of these CPUs are not 0 to 5.
    yield Case("x86_64 q35 qemu64 6 in two sockets", boot.Machine(
        "x86_64", kernel, "q35", "qemu64", 6, "256M", WORK,
        more=["-smp", "sockets=2,cores=3"]),
        memory=256 * MIB, says=("cpus: 6 run",))
    for path in sorted((ROOT / "data/maps").glob("*.e820")):
        if path.name == "chromebook500c.e820":
            continue  # nothing can run on it: failing_cases()
        yield Case(f"x86_64 replay {path.name}", boot.Machine(
            "x86_64", kernel, "q35", "max", 2, "6G", f"replay {WORK}", path,
            lazy=True), replay=path)
    yield Case("x86_64 q35 max 1 8M", boot.Machine(
        "x86_64", kernel, "q35", "max", 1, "8M", WORK), memory=8 * MIB)


def grub_disc(kernel, folder, command):
    grub = folder / "disc/boot/grub"
    grub.mkdir(parents=True)
    shutil.copy(kernel, folder / "disc/boot/kernel.elf")
    (grub / "grub.cfg").write_text(
        f"multiboot2 /boot/kernel.elf {command}\n"
        "module2 /boot/grub/grub.cfg\nboot\n")
    disc = folder / "disc.iso"
    subprocess.run(["grub-mkrescue", "-o", str(disc), str(folder / "disc")],
                   check=True, capture_output=True)
    return disc


def grub_cases(kernel, folder):
    disc = grub_disc(kernel, folder, f"la57=off {WORK}")
    for machine in ("pc", "q35"):
        yield Case(f"x86_64 {machine} max 4 256M by GRUB", boot.Machine(
            "x86_64", kernel, machine, "max", 4, "256M", disc=disc),
            memory=256 * MIB, says=("memory: Multiboot2", " module\n",
                                    ", 4 levels,"))


def failing_cases(kernel, folder):
    tiny = folder / "tiny.e820"
    tiny.write_text("100000 100fff 1\n")
    nonsense = folder / "nonsense.e820"
    nonsense.write_text("100000 fff 1\n")
    base = dict(arch="x86_64", kernel=kernel, machine="q35", cpu="max",
                cpus=1, memory="256M", command="replay")
    yield Case("x86_64 a map of one page", boot.Machine(**base, module=tiny),
               fails="memory cannot be brought up")
    yield Case("x86_64 a map that is none",
               boot.Machine(**base, module=nonsense), fails="replay: line 1")
    yield Case("x86_64 chromebook500c.e820, one page", boot.Machine(
        **base, module=ROOT / "data/maps/chromebook500c.e820"),
        fails="memory cannot be brought up")
    yield Case("x86_64 replay without a map", boot.Machine(**base),
               fails="replay: no module")


def edit_tree(tree, *edits):
    for words in edits:
        subprocess.run(["fdtput", *words[:-1], str(tree), *words[-1]],
                       check=True)


def cells(value):
    return [f"{value >> 32:x}", f"{value & 0xffffffff:x}"]


def dump_tree(arch, folder, name, memory, cpus):
    tree = folder / f"{name}.dtb"
    machine = boot.MACHINES[arch]
    subprocess.run([f"qemu-system-{arch}", "-M", f"{machine},dumpdtb={tree}",
                    "-cpu", boot.CPUS[arch], "-m", memory, "-smp", str(cpus),
                    "-display", "none"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return tree


def put_memory(tree, node, ranges):
    words = [w for base, size in ranges for w in cells(base) + cells(size)]
    edit_tree(tree, ["-t", "x", [node, "reg", *words]])


def put_reserved(tree, ranges):
    top = "/reserved-memory"
    edit_tree(tree, ["-cp", [top]],
              ["-t", "x", [top, "#address-cells", "2"]],
              ["-t", "x", [top, "#size-cells", "2"]],
              [[top, "ranges"]])
    for i, (base, size) in enumerate(ranges):
        child = f"{top}/odd{i}@{base:x}"
        edit_tree(tree, ["-c", [child]],
                  ["-t", "x", [child, "reg", *cells(base), *cells(size)]])


def add_memreserve(tree, base, size):
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", str(tree)],
                          check=True, capture_output=True, text=True).stdout
    text = text.replace("/dts-v1/;",
                        f"/dts-v1/;\n/memreserve/ 0x{base:x} 0x{size:x};", 1)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(tree)],
                   input=text, check=True, text=True)


def riscv_trees(folder, cpus):
    """Trees of 512 MiB: as it is; in islands; with odd holes."""
    start = 0x80000000
    node = f"/memory@{start:x}"
    plain = None
    islands = [(start, 96 * MIB), (start + 100 * MIB, 64 * MIB + PAGE),
               (start + 170 * MIB, PAGE), (start + 172 * MIB, 2 * PAGE),
               (start + 200 * MIB + 0x800, 200 * MIB)]
    odd = [(start + 64 * MIB + 0x123, 0x4567), (start + 300 * MIB, 3 * MIB)]
    one = dump_tree("riscv64", folder, f"islands{cpus}", "512M", cpus)
    put_memory(one, node, islands)
    two = dump_tree("riscv64", folder, f"odd{cpus}", "512M", cpus)
    put_reserved(two, odd)
    add_memreserve(two, start + 400 * MIB + 0x10, 0x20)
    yield "whole", plain, [(start, 512 * MIB, "usable")]
    yield "islands", one, [(b, s, "usable") for b, s in islands]
    yield "holes", two, [(b, s, "reserved") for b, s in odd] + [
        (start + 400 * MIB + 0x10, 0x20, "reserved")]


def riscv_cases(kernel, folder):
    levels = {"sv39": 3, "sv48": 4, "sv57": 5}
    for cpus in (1, 4):
        for name, tree, regions in riscv_trees(folder, cpus):
            for mode in levels:
                yield Case(f"riscv64 {mode} {cpus} {name}", boot.Machine(
                    "riscv64", kernel, cpus=cpus, memory="512M",
                    command=f"{mode} {WORK}", tree=tree),
                    regions=tuple(regions),
                    says=(f", {levels[mode]} levels,", " reclaimable"))
    yield Case("riscv64 64G-lazy", boot.Machine(
        "riscv64", kernel, cpus=2, memory="64G", command=WORK, lazy=True),
        memory=64 * GIB)
    # The linear map has room for 128 GiB, of which 2 are below RAM.
    yield Case("riscv64 200G-lazy", boot.Machine(
        "riscv64", kernel, memory="200G", command=WORK, lazy=True),
        memory=126 * GIB, says=("memory: 75776 MiB lie beyond",))
    yield Case("riscv64 svpbmt=on,sstc=off", boot.Machine(
        "riscv64", kernel, cpu="rv64,svpbmt=on,sstc=off", cpus=2, command=WORK),
        memory=256 * MIB)
    # The tree promises what the CPU does not have: memory types.
    said = dump_tree("riscv64", folder, "said", "256M", 1)
    edit_tree(said, ["-t", "s", ["/cpus/cpu@0", "riscv,isa",
                                 "rv64imafdc_svpbmt"]])
    yield Case("riscv64 svpbmt only said", boot.Machine(
        "riscv64", kernel, command=WORK, tree=said), memory=256 * MIB)
    yield Case("riscv64 more CPUs than it has room for", boot.Machine(
        "riscv64", kernel, cpus=18, command="storm=20"),
        memory=256 * MIB, says=("cpus: 16 run",))


NUMA = ["-object", "memory-backend-ram,id=m0,size=256M",
        "-object", "memory-backend-ram,id=m1,size=256M",
        "-numa", "node,nodeid=0,memdev=m0,cpus=0-1",
        "-numa", "node,nodeid=1,memdev=m1,cpus=2-3"]


def aarch64_cases(kernel, folder):
    start = 0x40000000
    odd = [(start + 64 * MIB + 0x123, 0x4567), (start + 300 * MIB, 3 * MIB)]
    for cpu, cpus in itertools.product(("cortex-a57", "max"), (1, 4)):
        tree = dump_tree("aarch64", folder, f"a64-{cpu}-{cpus}", "512M", cpus)
        put_reserved(tree, odd)
        base = dict(arch="aarch64", kernel=kernel, cpu=cpu, cpus=cpus,
                    memory="512M", command=WORK)
        yield Case(f"aarch64 {cpu} {cpus} whole", boot.Machine(**base),
                   regions=((start, 512 * MIB, "usable"),))
        yield Case(f"aarch64 {cpu} {cpus} holes",
                   boot.Machine(**base, tree=tree),
                   regions=tuple((b, s, "reserved") for b, s in odd))
        if cpus == 4:
            yield Case(f"aarch64 {cpu} {cpus} two nodes",
                       boot.Machine(**base, more=NUMA),
                       regions=((start, 256 * MIB, "usable"),
                                (start + 256 * MIB, 256 * MIB, "usable")))
    base = dict(arch="aarch64", kernel=kernel, cpu="max", command=WORK)
    yield Case("aarch64 max 12 GICv3", boot.Machine(
        **base, machine="virt,gic-version=3", cpus=12, memory="512M"),
        memory=512 * MIB)
    yield Case("aarch64 max 4 64G", boot.Machine(
        **base, cpus=4, memory="64G", lazy=True), memory=64 * GIB)
    yield Case("aarch64 max at EL2", boot.Machine(
        **base, machine="virt,virtualization=on"),
        fails="this kernel begins at EL1")
    base["kernel"] = flat_file(kernel, folder / "kernel.img")
    replayed_map = folder / "a64.e820"
    replayed_map.write_text("40000000 4fffffff 1\n48000123 48004567 2\n"
                            "4b000000 4bffffff 5\n")
    yield Case("aarch64 max 4 flat file, replay", boot.Machine(
        **{**base, "command": f"replay {WORK}"}, cpus=4, memory="256M",
        module=replayed_map), replayed_map, memory=256 * MIB)


def flat_file(elf, path):
    """The segments of an ELF file at their physical distances."""
    data = elf.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQ", data, offset + i * size)
                for i in range(count)]
    loaded = [(at, begin, length) for kind, _, begin, _, at, length in segments
              if kind == 1]
    lowest = min(at for at, _, _ in loaded)
    image = bytearray()
    for at, begin, length in sorted(loaded):
        image += bytes(at - lowest - len(image))
        image += data[begin:begin + length]
    path.write_bytes(image)
    return path


# ---- Running ----

def complaints_of(case, limit):
    ending = boot.boot(case.machine, limit)
    output = ending.output
    if case.fails is not None:
        lines = output.splitlines()
        clear = [line for line in lines if line.startswith(case.fails)]
        if len(clear) != 1 or lines[-1] != "FAIL":
            return ["no clear line, or no failure"], ending
        if ending.status != boot.FAILED[case.machine.arch]:
            return [f"no failing status, but {ending.status}"], ending
        return [], ending
    if ending.why:
        return [ending.why], ending
    regions = pieces(output, "region")
    spans = spans_of(regions) if case.replay is None else replayed(
        regions, read_e820(case.replay))
    complaints = compare_map(output, spans)
    usable = sum(size for _, size, kind in regions if kind == "usable")
    if case.memory is not None and not \
            case.memory - 2 * MIB <= usable <= case.memory:
        complaints.append(f"{usable} bytes usable of {case.memory}")
    complaints += [f"region {region} is not told" for region in case.regions
                   if region not in regions]
    complaints += [f"does not say {text!r}" for text in case.says
                   if text not in output]
    complaints += [f"{program} did not say that it is done"
                   for program in PROGRAMS if f"\n{program}: " not in output]
    if not LINE["storm"].search(output):
        complaints.append("the storm mapped nothing")
    free = LINE["free"].search(output)
    if not free or free.group(1) != free.group(2):
        complaints.append("free pages differ")
    return complaints, ending


def all_cases(folder, wanted):
    for arch, cases in (("x86_64", x86_cases), ("riscv64", riscv_cases),
                        ("aarch64", aarch64_cases)):
        if arch not in wanted:
            continue
        kernel = boot.build(arch)
        if arch == "x86_64":
            yield from failing_cases(kernel, folder)
            yield from x86_cases(kernel)
            yield from grub_cases(kernel, folder)
        else:
            yield from cases(kernel, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="machines whose names have it")
    parser.add_argument("--quick", action="store_true",
                        help="every eighth machine")
    parser.add_argument("--arch", nargs="*", choices=sorted(boot.PASSED),
                        default=sorted(boot.PASSED))
    parser.add_argument("--jobs", type=int, default=2,
                        help="machines at a time (2)")
    parser.add_argument("--limit", type=float, default=180)
    parser.add_argument("--show", action="store_true",
                        help="what each machine said")
    options = parser.parse_args()
    missing = [tool for tool in ("fdtput", "dtc", "grub-mkrescue", *(
        f"qemu-system-{arch}" for arch in options.arch))
        if shutil.which(tool) is None]
    if missing:
        print(f"not ok 1 machines need {', '.join(missing)}")
        return 1
    failed = 0
    with tempfile.TemporaryDirectory(prefix="framehold-machines-") as folder:
        cases = [case for case in all_cases(Path(folder), options.arch)
                 if options.only in case.name]
        if options.quick:
            cases = cases[::8]
        with ThreadPoolExecutor(options.jobs) as pool:
            results = pool.map(
                lambda case: (case, *complaints_of(case, options.limit)),
                cases)
            for i, (case, complaints, ending) in enumerate(results):
                good = "not ok" if complaints else "ok"
                print(f"{good} {i + 1} {case.name} ({ending.seconds:.2f} s)",
                      flush=True)
                failed += bool(complaints)
                if complaints or options.show:
                    for line in complaints + ending.output.splitlines():
                        print(f"# {line}")
    print(f"1..{len(cases)}")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
