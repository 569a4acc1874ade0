# SPDX-License-Identifier: MPL-2.0
# clang and lld by default; CC=riscv64-linux-gnu-gcc LD=riscv64-linux-gnu-ld
# does as well. GCC wants the extensions named that clang takes for granted.
PORT_CC := clang --target=riscv64-unknown-elf
PORT_LD := ld.lld
PORT_CFLAGS = -march=rv64imac$(if $(findstring clang,$(CC)),,_zicsr_zifencei) \
	-mabi=lp64 -mcmodel=medany -mno-relax
PORT_KERNEL_CFLAGS :=
PORT_LDFLAGS :=
PORT_MORE := $(ROOT)/port/fdt_boot.c
