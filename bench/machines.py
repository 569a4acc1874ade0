#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""What the library takes on real machines: text, stack, start, operations.

Boots the demo kernel and collects what it measured with the machine's own
counter. On an emulator cycles are those of an imagined machine: compare them
with each other, not with a clock.
"""
import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import boot  # noqa: E402

TIME = re.compile(r"^time (\w+) (\d+) cycles$", re.M)
MEASURE = re.compile(r"^measure ([\w-]+) (\d+) cycles$", re.M)
STACK = re.compile(r"^measure stack (\d+) of (\d+) bytes$", re.M)
RATE = re.compile(r"^measure counter (\d+) a second$", re.M)
GIB = 1 << 30


def text_bytes(kernel):
    """Code and constants of the library in this build."""
    lines = subprocess.run(["llvm-size-14", str(kernel.parent / "framehold.o")],
                           check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return int(lines[1].split()[0])


def run(arch, kernel, memory, command, lazy=True):
    ending = boot.boot(boot.Machine(arch, kernel, cpus=1, memory=memory,
                                    command=command, lazy=lazy), 120)
    if ending.why:
        raise RuntimeError(f"{arch} with {memory}: {ending.why}\n"
                           f"{ending.output}")
    return ending.output


def report_sizes(kernels):
    print("Library text, bytes, one file at -O2, and the deepest stack")
    print(f"  {'':10}{'plain':>10}{'checked':>10}{'stack':>10}")
    outputs = {}
    for arch, (plain, checked) in kernels.items():
        outputs[arch] = run(arch, plain, "256M", "measure storm=500")
        stack = int(STACK.search(outputs[arch]).group(1))
        print(f"  {arch:10}{text_bytes(plain):10}{text_bytes(checked):10}"
              f"{stack:10}")
    return outputs


def report_operations(outputs):
    print("\nOperations, counts of the machine's counter (plain build)")
    for arch, output in outputs.items():
        rate = RATE.search(output)
        speed = f", {int(rate.group(1)) / 1e6:.1f} MHz" if rate else ""
        print(f"  {arch}{speed}")
        for name, cycles in MEASURE.findall(output):
            print(f"    {name:20}{cycles:>8}")


def report_start(kernels, sizes):
    print("\nBringing memory up against its size: fh_init(), then all tables "
          "of the kernel")
    print(f"  {'':10}{'RAM':>8}{'init':>12}{'tables':>12}{'init per GiB':>14}")
    for arch, (plain, _) in kernels.items():
        for size in sizes:
            if arch == "riscv64" and size == "512G":
                continue  # beyond what its layout has room for
            output = run(arch, plain, size, "storm=1")
            times = dict(TIME.findall(output))
            gib = int(size[:-1]) * (1 if size[-1] == "G" else 1 / 1024)
            print(f"  {arch:10}{size:>8}{times['init']:>12}"
                  f"{times['tables']:>12}{int(times['init']) / gib:>14.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", nargs="*", choices=sorted(boot.PASSED),
                        default=sorted(boot.PASSED, reverse=True))
    parser.add_argument("--sizes", nargs="*", metavar="SIZE",
                        default=["256M", "1G", "8G", "64G"])
    options = parser.parse_args()
    if shutil.which("llvm-size-14") is None:
        print("llvm-size-14 is not installed", file=sys.stderr)
        return 2
    kernels = {arch: (boot.build(arch, False), boot.build(arch, True))
               for arch in options.arch}
    report_operations(report_sizes(kernels))
    report_start(kernels, options.sizes)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
