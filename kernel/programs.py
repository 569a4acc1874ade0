#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the table of programs, as assembly: usage: programs.py NAME..."""
import sys

print(".section .rodata\n.balign 8\n.globl programs\nprograms:")
for i, _ in enumerate(sys.argv[1:]):
    print(f".quad name{i}, file{i}, end{i}")
print(".quad 0, 0, 0")
for i, name in enumerate(sys.argv[1:]):
    print(f'name{i}: .asciz "{name}"')
    print(f'.balign 8\nfile{i}: .incbin "{name}.elf"\nend{i}: .byte 0')
print('.section .note.GNU-stack,"",%progbits')
