# SPDX-License-Identifier: MPL-2.0
"""Walks page tables in a machine's memory, from outside.

Written from the architectures' manuals, without a look at the library's own
idea of an entry: what one of them gets wrong, the other does not. A walk gives
runs, in ascending order: pages that follow each other, on frames that follow
each other, with the same access. Whatever hardware would not accept, or what
nobody has a reason to write into a kernel's table, is a complaint.
"""
import mmap
import struct
from typing import NamedTuple

PAGE = 4096
ENTRIES = 512
PAGES_END = 1 << 52     # of the 64-bit address space
TABLE = struct.Struct("<512Q")

WRITE_BACK, WRITE_THROUGH, WRITE_COMBINING, UNCACHEABLE = range(4)
CACHES = ("write-back", "write-through", "write-combining", "uncacheable")


class Run(NamedTuple):
    page: int
    count: int
    frame: int
    access: str         # rwxug, or - in place of a letter; None: not known
    cache: int          # an index of CACHES; None: not known

    @property
    def end(self):
        return self.page + self.count


class Malformed(Exception):
    """An entry that hardware takes for an error."""


def bits(value, high, low):
    return value >> low & (1 << high - low + 1) - 1


def address(value, high, low):
    """An address that stands where it is: bits high to low."""
    return value & (1 << high + 1) - (1 << low)


def letters(read, write, execute, user, is_global):
    return "".join(letter if has else "-" for letter, has in
                   zip("rwxug", (read, write, execute, user, is_global)))


def merge(runs):
    """The same with as few runs as can be."""
    merged = []
    for run in runs:
        last = merged[-1] if merged else None
        if last and last.end == run.page and \
                last.frame + last.count == run.frame and \
                last[3:] == run[3:]:
            merged[-1] = last._replace(count=last.count + run.count)
        else:
            merged.append(run)
    return merged


class Piece(NamedTuple):
    """Bytes of RAM: where they are, and where in the file."""
    begin: int
    end: int
    offset: int


class Memory:
    """The machine's RAM as a file. Pieces say where addresses are in it."""

    def __init__(self, path, pieces):
        self.pieces = pieces
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.changed = {}       # tables that are not as in the file

    def table(self, base):
        """The entries of a table; None: that is no RAM."""
        if base in self.changed:
            return self.changed[base]
        for piece in self.pieces:
            if piece.begin <= base and base + PAGE <= piece.end:
                return TABLE.unpack_from(self.bytes,
                                         base - piece.begin + piece.offset)
        return None

    def change(self, base, index, value):
        """Sets an entry for walks to come; the file stays as it is."""
        entries = list(self.table(base))
        entries[index] = value
        self.changed[base] = entries

    def restore(self):
        self.changed.clear()


class Above(NamedTuple):
    """What tables on the way allow the leaves below them."""
    write: bool = True
    execute: bool = True
    user: bool = True
    is_global: bool = False


class X86:
    """AMD64 and Intel 64, 4 and 5 levels, as the ports set IA32_PAT."""
    visible = {"present": 0, "writable": 1, "user": 2, "write-through": 3,
               "cache disable": 4, "global": 8, "frame": 12, "no execute": 63}

    @staticmethod
    def is_present(entry):
        return entry & 1

    @staticmethod
    def is_table(entry, level):
        if level > 3 and bits(entry, 7, 7):
            raise Malformed("bit 7 is reserved")
        return level > 1 and not bits(entry, 7, 7)

    @staticmethod
    def next_table(entry, above):
        return address(entry, 51, 12), Above(
            above.write and bool(bits(entry, 1, 1)),
            above.execute and not bits(entry, 63, 63),
            above.user and bool(bits(entry, 2, 2)))

    @staticmethod
    def leaf(entry, level, above):
        low = 12 + 9 * (level - 1)
        # Bit 12 of a large leaf is PAT; at level 1 bit 7 is.
        if level > 1 and bits(entry, low - 1, 13):
            raise Malformed("a large leaf is misaligned")
        pat = bits(entry, 12, 12) if level > 1 else bits(entry, 7, 7)
        index = pat << 2 | bits(entry, 4, 4) << 1 | bits(entry, 3, 3)
        access = letters(True, above.write and bits(entry, 1, 1),
                         above.execute and not bits(entry, 63, 63),
                         above.user and bits(entry, 2, 2), bits(entry, 8, 8))
        return address(entry, 51, low), access, (
            WRITE_BACK, WRITE_THROUGH, WRITE_COMBINING, UNCACHEABLE)[index & 3]


class Riscv:
    """Sv39, Sv48, Sv57, with Svpbmt where its bits are set."""
    visible = {"valid": 0, "readable": 1, "writable": 2, "executable": 3,
               "user": 4, "global": 5, "frame": 10}

    @staticmethod
    def is_present(entry):
        return entry & 1

    @staticmethod
    def is_table(entry, level):
        if bits(entry, 60, 54) or bits(entry, 63, 63):
            raise Malformed("reserved bits are set")
        if bits(entry, 3, 1):
            return False
        if level == 1:
            raise Malformed("a table where pages have to be")
        if entry & 0xd0 or bits(entry, 62, 61):
            raise Malformed("a table with U, A, D or a memory type")
        return True

    @staticmethod
    def next_table(entry, above):
        return bits(entry, 53, 10) * PAGE, Above(
            is_global=above.is_global or bool(bits(entry, 5, 5)))

    @staticmethod
    def leaf(entry, level, above):
        frame = bits(entry, 53, 10)
        if bits(entry, 2, 1) == 2:
            raise Malformed("writable and not readable")
        if frame % ENTRIES ** (level - 1):
            raise Malformed("a large leaf is misaligned")
        kind = bits(entry, 62, 61)
        if kind == 3:
            raise Malformed("a reserved memory type")
        access = letters(bits(entry, 1, 1), bits(entry, 2, 2),
                         bits(entry, 3, 3), bits(entry, 4, 4),
                         above.is_global or bits(entry, 5, 5))
        return frame * PAGE, access, (WRITE_BACK, WRITE_COMBINING,
                                      UNCACHEABLE)[kind]


class Aarch64:
    """VMSAv8-64, 4 KiB granules, as the ports set MAIR_EL1 and TCR_EL1.

    T0SZ and T1SZ are 17, TTBR0_EL1 and TTBR1_EL1 each name a half of one root.
    EL0 may run what is not UXN, whether it may read it or not. So a page is a
    user's if EL0 can do anything with it.
    """
    visible = {"valid": 0, "page": 1, "memory type": 2, "user": 6,
               "read only": 7, "not global": 11, "frame": 12,
               "not the kernel's to run": 53, "not a user's to run": 54}

    @staticmethod
    def is_present(entry):
        return entry & 1

    @staticmethod
    def is_table(entry, level):
        if bits(entry, 1, 1):
            return level > 1
        if level not in (2, 3):
            raise Malformed("a block where none can be")
        return False

    @staticmethod
    def next_table(entry, above):
        return address(entry, 47, 12), Above(
            above.write and not bits(entry, 62, 62),
            above.execute and not bits(entry, 59, 59),
            above.user and not bits(entry, 61, 61))

    @staticmethod
    def leaf(entry, level, above):
        low = 12 + 9 * (level - 1)
        if bits(entry, low - 1, 12):
            raise Malformed("a block is misaligned")
        if not bits(entry, 10, 10):
            raise Malformed("a leaf that faults when it is used: AF is clear")
        index = bits(entry, 4, 2)
        if index > 3:
            raise Malformed("a memory type of nobody's")
        write = above.write and not bits(entry, 7, 7)
        user = above.user and bits(entry, 6, 6)
        execute = above.execute and not bits(entry, 53, 53)
        access = letters(True, write, execute and not (user and write),
                         user or not bits(entry, 54, 54),
                         not bits(entry, 11, 11))
        return address(entry, 47, low), access, (
            WRITE_BACK, WRITE_THROUGH, WRITE_COMBINING, UNCACHEABLE)[index]


FORMATS = {"x86_64": X86, "riscv64": Riscv, "aarch64": Aarch64}


class Walk:
    """One walk of all that hangs on a root."""

    def __init__(self, memory, form, root, levels):
        self.memory, self.form, self.levels = memory, form, levels
        self.complaints = []
        self.leaves = []        # (table, index, level): where each leaf stands
        self.tables = {}        # base: how often it is reached
        self.runs = merge(self._table(root, levels, 0, Above()))

    def _canonical(self, page):
        """The page that the lower bits lead to."""
        width = 9 * self.levels
        if page >> width - 1:
            return page | PAGES_END - (1 << width)
        return page

    def _complain(self, page, level, entry, why):
        self.complaints.append(f"0x{self._canonical(page) * PAGE:x}: entry "
                               f"0x{entry:x} at level {level}: {why}")

    def _table(self, base, level, first, above):
        entries = self.memory.table(base)
        if entries is None:
            self._complain(first, level + 1, base, "a table that is no RAM")
            return
        self.tables[base] = self.tables.get(base, 0) + 1
        if self.tables[base] > 1:
            self._complain(first, level + 1, base, "a table in two places")
            return
        for index, entry in enumerate(entries):
            if entry == 0:
                continue
            page = first + index * ENTRIES ** (level - 1)
            if not self.form.is_present(entry):
                self._complain(page, level, entry, "neither zero nor present")
                continue
            try:
                yield from self._entry(base, index, entry, level, page, above)
            except Malformed as error:
                self._complain(page, level, entry, str(error))

    def _entry(self, base, index, entry, level, page, above):
        if self.form.is_table(entry, level):
            below, limits = self.form.next_table(entry, above)
            yield from self._table(below, level - 1, page, limits)
            return
        target, access, cache = self.form.leaf(entry, level, above)
        self.leaves.append((base, index, level))
        yield Run(self._canonical(page), ENTRIES ** (level - 1),
                  target // PAGE, access, cache)
