#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Boots the demo kernel on an emulated machine and says how it ended.

The console goes to standard output as it comes. The exit status is 0 if the
kernel ended by itself with success and said so, 1 otherwise: an emulator that
was stopped by the time limit, or by a triple fault, has not passed.
"""
import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What the emulator's exit status is when the kernel says how it ended.
PASSED = {"x86_64": 33, "riscv64": 0, "aarch64": 0}
FAILED = {"x86_64": 35, "riscv64": 1, "aarch64": 1}
MACHINES = {"x86_64": "q35", "riscv64": "virt", "aarch64": "virt"}
CPUS = {"x86_64": "max", "riscv64": "rv64", "aarch64": "max"}


@dataclass
class Machine:
    """An emulated machine. Sizes are as the emulator wants them: 256M."""
    arch: str
    kernel: Path
    machine: str = ""
    cpu: str = ""
    cpus: int = 1
    memory: str = "256M"
    command: str = ""
    module: Path = None         # loaded beside the kernel
    disc: Path = None           # with a boot loader, kernel and command on it
    tree: Path = None           # a device tree in place of the machine's
    lazy: bool = False          # host memory only where it is written
    memory_file: Path = None    # all of RAM, for others to read
    intents: Path = None        # where the channel of intents goes
    monitor: Path = None        # a socket
    more: list = field(default_factory=list)

    def _memory_words(self):
        if not self.lazy and self.memory_file is None:
            return ["-m", self.memory]
        kind = "memory-backend-ram,reserve=off"
        if self.memory_file is not None:
            kind = f"memory-backend-file,mem-path={self.memory_file},share=on"
        return ["-m", self.memory, "-object",
                f"{kind},id=ram,size={self.memory}"]

    def words(self):
        machine = self.machine or MACHINES[self.arch]
        if self.lazy or self.memory_file is not None:
            machine += ",memory-backend=ram"
        words = [f"qemu-system-{self.arch}", "-accel", "tcg", "-M", machine,
                 "-cpu", self.cpu or CPUS[self.arch], "-smp", str(self.cpus),
                 *self._memory_words(), "-display", "none", "-no-reboot",
                 "-nic", "none", "-serial", "stdio"]
        words += ["-kernel", str(self.kernel)] if self.disc is None else [
            "-cdrom", str(self.disc)]
        if self.arch == "x86_64":
            words += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
            if self.intents is not None:
                words += ["-debugcon", f"file:{self.intents}"]
        if self.arch == "riscv64":
            words += ["-bios", "default"]
        if self.arch == "aarch64":
            words += ["-semihosting"]
        if self.command:
            words += ["-append", self.command]
        if self.module is not None:
            words += ["-initrd", str(self.module)]
        if self.tree is not None:
            words += ["-dtb", str(self.tree)]
        if self.monitor is not None:
            words += ["-qmp", f"unix:{self.monitor},server=on,wait=off"]
        return words + self.more


@dataclass
class Ending:
    """How a boot ended. why is empty if it passed."""
    status: int
    output: str
    seconds: float
    why: str


class Running:
    """A machine that is on. Reads its console line by line."""

    def __init__(self, machine, limit, show=None):
        self.machine = machine
        self.began = time.monotonic()
        self.lines = []
        self.timed_out = False
        self.process = subprocess.Popen(
            machine.words(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        self.timer = threading.Timer(limit, self._stop_late)
        self.timer.start()
        self.show = show

    def _stop_late(self):
        self.timed_out = True
        self.process.kill()

    def read_until(self, *texts):
        """Reads lines until one is one of the texts; False: the end came."""
        for line in self.process.stdout:
            line = line.rstrip("\r\n")
            self.lines.append(line)
            if self.show:
                self.show(line)
            if line in texts:
                return True
        return False

    def end(self, kill=False):
        if kill:
            self.process.kill()
        self.read_until()
        status = self.process.wait()
        self.timer.cancel()
        return Ending(status, "\n".join(self.lines),
                      time.monotonic() - self.began,
                      self._why(status, kill))

    def _why(self, status, killed):
        said = self.lines and "PASS" in self.lines[-2:]
        if self.timed_out:
            return "it was still running when its time was over"
        if killed:
            return "" if said else "it did not say PASS"
        if status != PASSED[self.machine.arch]:
            return f"the emulator ended with status {status}"
        return "" if said else "its last line is not PASS"


def boot(machine, limit=60, show=None):
    """Boots a machine to its end."""
    return Running(machine, limit, show).end()


def build(arch, checked=True, more=()):
    """Builds the kernel for an architecture; returns its file."""
    out = ROOT / "build" / f"kernel-{arch}{'' if checked else '-plain'}"
    done = subprocess.run(
        ["make", "-s", "-j2", "-C", str(ROOT / "kernel"), f"ARCH={arch}",
         f"OUT={out}", f"CHECKED={int(checked)}", *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the kernel for {arch} does not build:\n"
                           f"{done.stdout}")
    return out / "kernel.elf"


def parse_options(words):
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="The kernel's own options go into --append: kernel/main.c.")
    parser.add_argument("arch", choices=sorted(PASSED), nargs="?",
                        default="x86_64")
    parser.add_argument("--kernel", type=Path,
                        help="a kernel that is built already")
    parser.add_argument("--plain", action="store_true",
                        help="build it without the ledger")
    parser.add_argument("--machine", default="")
    parser.add_argument("--cpu", default="")
    parser.add_argument("--cpus", type=int, default=4)
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--append", default="", metavar="TEXT")
    parser.add_argument("--replay", type=Path, metavar="MAP",
                        help="a memory map to bring up in place of the "
                        "machine's, such as data/maps/*.e820")
    parser.add_argument("--lazy", action="store_true",
                        help="more memory than this computer has")
    parser.add_argument("--limit", type=float, default=60,
                        help="seconds until it is stopped")
    return parser.parse_args(words)


def main(words):
    options = parse_options(words)
    emulator = f"qemu-system-{options.arch}"
    if shutil.which(emulator) is None:
        print(f"{emulator} is not installed", file=sys.stderr)
        return 2
    try:
        kernel = options.kernel or build(options.arch, not options.plain)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    command = options.append
    if options.replay:
        command = f"replay {command}".strip()
    ending = boot(Machine(options.arch, kernel, options.machine, options.cpu,
                          options.cpus, options.memory, command,
                          options.replay, lazy=options.lazy),
                  options.limit, lambda line: print(line, flush=True))
    if ending.why:
        print(f"{options.arch}: failed: {ending.why}", file=sys.stderr)
        return 1
    print(f"{options.arch}: booted, ran and ended in {ending.seconds:.2f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(130)
