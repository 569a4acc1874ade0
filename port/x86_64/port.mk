# SPDX-License-Identifier: MPL-2.0
# How the demo kernel is compiled for x86-64: by the Debian package gcc on an
# x86-64 host, gcc-x86-64-linux-gnu elsewhere, or clang and lld anywhere.
PORT_CC := x86_64-linux-gnu-gcc
PORT_LD := x86_64-linux-gnu-ld
# Nobody saves vector registers.
PORT_CFLAGS := -m64 -march=x86-64 -mgeneral-regs-only -fcf-protection=none
# The last 2 GiB; interrupts come on the stack that is in use.
PORT_KERNEL_CFLAGS := -fno-pic -mcmodel=kernel -mno-red-zone
PORT_LDFLAGS := -m elf_x86_64
PORT_MORE :=
