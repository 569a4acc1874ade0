# SPDX-License-Identifier: MPL-2.0
# clang and lld, for which every target is there; or a cross compiler:
# make CC=aarch64-linux-gnu-gcc LD=aarch64-linux-gnu-ld
PORT_CC := clang --target=aarch64-unknown-none-elf
PORT_LD := ld.lld
# Neither the kernel nor programs have registers for floating point; atomic
# operations are the first ARMv8's.
PORT_CFLAGS := -march=armv8-a -mgeneral-regs-only -mno-outline-atomics
PORT_KERNEL_CFLAGS :=
PORT_LDFLAGS :=
PORT_MORE := $(ROOT)/port/fdt_boot.c
