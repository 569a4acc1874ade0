# SPDX-License-Identifier: MPL-2.0
"""What QEMU itself says of a machine: its monitor, over a socket (QMP)."""
import json
import re
import socket

from walker import ENTRIES, PAGE, Piece, Run, letters, merge


class Monitor:
    def __init__(self, path, limit=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r")
        self.lines.readline()   # the greeting
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        message = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(message).encode())
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{name}: the machine went away")

    def human(self, line, cpu=0):
        """A line that a human would type; as that CPU sees it."""
        return self.command("human-monitor-command",
                            **{"command-line": line, "cpu-index": cpu})

    def close(self):
        self.lines.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


# ---- Memory ----

MEMORY = re.compile(r"^  ([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, "
                    r"(\w+)\): (\S+)(?: @([0-9a-f]{16}))?", re.M)


def flat_view(text):
    """(begin, end, kind, name, offset) of the memory that CPUs see."""
    view = re.search(r'AS "memory"(?:.|\n)*?(?=^FlatView|\Z)', text, re.M)
    return [(int(begin, 16), int(end, 16) + 1, kind, name,
             int(offset or "0", 16)) for begin, end, kind, name, offset in
            MEMORY.findall(view.group() if view else "")]


def ram_pieces(monitor):
    """RAM and where it is in the file that backs it."""
    return [Piece(begin, end, offset) for begin, end, kind, name, offset in
            flat_view(monitor.human("info mtree -f"))
            if kind in ("ram", "rom") and name == "ram"]


# ---- What CPUs see ----

UNMAPPED = re.compile(r"unmapped|cannot", re.I)


def translate(monitor, page, cpu):
    """The frame of a page by a CPU's own root; None: there is none."""
    answer = monitor.human(f"gva2gpa 0x{page * PAGE:x}", cpu).strip()
    found = re.match(r"gpa: (?:0x)?([0-9a-f]+)$", answer)
    if found:
        return int(found.group(1), 16) // PAGE
    if UNMAPPED.search(answer):
        return None
    raise RuntimeError(f"gva2gpa: {answer}")


X86_LEAF = re.compile(r"^([0-9a-f]{16}): ([0-9a-f]{16}) ([XGPDACTUW-]{9})\s*$",
                      re.M)
# By the bits that choose an entry of IA32_PAT: as the ports set it.
X86_CACHES = {"--": 0, "-T": 1, "C-": 2, "CT": 3}


def x86_size(monitor, cpu, va, following):
    """A large leaf's pages: `info tlb` says that it is large, and no more.

    It ends where the next one begins, or where a hole is. (`info mem` would
    say so too, but not with 5 levels.)
    """
    page = va // PAGE + ENTRIES
    if following == page * PAGE or translate(monitor, page, cpu) is None:
        return ENTRIES
    return ENTRIES * ENTRIES


def x86_leaves(monitor, cpu):
    """Each as it says itself: what tables above forbid is not shown."""
    leaves = [(int(va, 16), int(pa, 16), flags) for va, pa, flags in
              X86_LEAF.findall(monitor.human("info tlb", cpu))]
    following = [leaf[0] for leaf in leaves[1:]] + [None]
    for (va, pa, flags), behind in zip(leaves, following):
        no_execute, is_global, user, write = (flags[0], flags[1], flags[7],
                                              flags[8])
        yield Run(va // PAGE,
                  x86_size(monitor, cpu, va, behind) if flags[2] == "P" else 1,
                  pa // PAGE,
                  letters(True, write == "W", no_execute != "X", user == "U",
                          is_global == "G"), X86_CACHES[flags[5:7]])


RISCV_RANGE = re.compile(r"^([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) "
                         r"([rwxugad-]{7})\s*$", re.M)


def riscv_ranges(monitor, cpu):
    for va, pa, size, access in RISCV_RANGE.findall(
            monitor.human("info mem", cpu)):
        yield Run(int(va, 16) // PAGE, int(size, 16) // PAGE,
                  int(pa, 16) // PAGE, access[:5], None)


# QEMU 7 has no list of an AArch64 CPU's pages.
LISTS = {"x86_64": ("info tlb", x86_leaves), "riscv64": ("info mem",
                                                         riscv_ranges)}


def listed(monitor, arch, cpu):
    return merge(LISTS[arch][1](monitor, cpu))


# ---- Roots ----

def root_of(monitor, arch, cpu):
    """The root that a CPU runs on; None: QEMU does not show it."""
    registers = monitor.human("info registers", cpu)
    if arch == "x86_64":
        found = re.search(r"CR3=([0-9a-f]+)", registers)
        return int(found.group(1), 16) & ~(PAGE - 1)
    if arch == "riscv64":
        found = re.search(r"satp\s+(?:0x)?([0-9a-f]+)", registers)
        return (int(found.group(1), 16) & (1 << 44) - 1) * PAGE
    return None


# Bits of registers that have to be set, and clear: what makes hardware look at
# what entries say, and at whom memory belongs to.
WATCHFUL = {
    "x86_64": (("CR0", 1 << 31 | 1 << 16, 0),           # PG, WP
               ("EFER", 1 << 11, 0),                    # NXE
               ("CR4", 1 << 20 | 1 << 21, 0)),          # SMEP, SMAP
    "riscv64": (("mstatus", 0, 1 << 17 | 1 << 18 | 1 << 19),),  # MPRV SUM MXR
    "aarch64": (),      # QEMU 7 shows none of them
}


def careless(monitor, arch, cpu):
    """(register, its value) of those that are not as they have to be."""
    shown = monitor.human("info registers", cpu)
    for name, ones, zeroes in WATCHFUL[arch]:
        found = re.search(rf"\b{name}\s*=?\s*(?:0x)?([0-9a-f]+)", shown)
        value = int(found.group(1), 16)
        if value & ones != ones or value & zeroes:
            yield name, value


def is_in_kernel(monitor, arch, cpu):
    """Whether a CPU is where tables apply: firmware below runs without."""
    if arch != "riscv64":
        return True
    found = re.search(r"^ pc\s+(?:0x)?([0-9a-f]+)",
                      monitor.human("info registers", cpu), re.M)
    return int(found.group(1), 16) >> 63 == 1


def cpu_count(monitor):
    return len(monitor.command("query-cpus-fast"))

