/* SPDX-License-Identifier: MPL-2.0 */
/* The machine as a whole: its first steps, its console, its end. */
#include "inside.h"

#include "fh_x86_64.h"

#define PIC_MASK1    0x21
#define PIC_MASK2    0xa1
#define CONSOLE      0x3f8
#define CONSOLE_LINE (CONSOLE + 5)
#define CONSOLE_FREE 0x20
#define INTENTS      0xe9
#define EXIT         0xf4

/* 115200 baud, 8 bits, queues on, no interrupts. */
static void open_console(void)
{
	x86_out8(CONSOLE + 1, 0x00);
	x86_out8(CONSOLE + 3, 0x80);
	x86_out8(CONSOLE + 0, 0x01);
	x86_out8(CONSOLE + 1, 0x00);
	x86_out8(CONSOLE + 3, 0x03);
	x86_out8(CONSOLE + 2, 0x07);
}

/* The old controllers would interrupt by the numbers of exceptions. */
FH_NORETURN void port_begin(uint32_t magic, uint32_t handover)
{
	x86_out8(PIC_MASK1, 0xff);
	x86_out8(PIC_MASK2, 0xff);
	open_console();
	cpu_begin(0);
	handover_is(magic, handover);
	kernel_main();
}

void port_console_put(char c)
{
	if (c == '\n')
		port_console_put('\r');
	while ((x86_in8(CONSOLE_LINE) & CONSOLE_FREE) == 0)
		fh_host_relax();
	x86_out8(CONSOLE, (uint8_t)c);
}

void port_intent_put(char c)
{
	x86_out8(INTENTS, (uint8_t)c);
}

/* QEMU's status is twice the value, plus 1: 33 and 35. */
FH_NORETURN void port_exit(bool passed)
{
	x86_out8(EXIT, passed ? 0x10 : 0x11);
	port_cpu_stop();
}

uint64_t port_cycles(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* ---- How fast the counter is ---- */

#define TIMER_COUNT   0x42
#define TIMER_COMMAND 0x43
#define TIMER_ONCE    0xb0 /* its third counter, 16 bits, down to 0 */
#define TIMER_GATE    0x61
#define TIMER_IS_OVER 0x20
#define TIMER_TICKS   1193 /* of 1193182 a second: 1 ms */
#define MAX_READS     1000000
#define MEASUREMENTS  20

static uint64_t measured_rate;

/* Cycles in 1 ms, or more; without the timer, no end of them. */
static uint64_t time_cycles(void)
{
	unsigned reads = 0;

	x86_out8(TIMER_GATE, x86_in8(TIMER_GATE) & 0xfc);
	x86_out8(TIMER_COMMAND, TIMER_ONCE);
	x86_out8(TIMER_COUNT, TIMER_TICKS & 0xff);
	x86_out8(TIMER_COUNT, TIMER_TICKS >> 8);
	x86_out8(TIMER_GATE, x86_in8(TIMER_GATE) | 1);
	uint64_t before = port_cycles();
	while (reads < MAX_READS && (x86_in8(TIMER_GATE) & TIMER_IS_OVER) == 0)
		reads++;
	return reads == 0 || reads == MAX_READS ? UINT64_MAX
						: port_cycles() - before;
}

/* What comes between makes it longer, so the shortest time is the best. */
static uint64_t measure_rate(void)
{
	uint64_t least = time_cycles();

	for (unsigned i = 0; i < MEASUREMENTS; i++) {
		uint64_t cycles = time_cycles();

		least = cycles < least ? cycles : least;
	}
	return least == UINT64_MAX ? 0 : least * 1000;
}

/* CPUID 15h: the crystal's rate in ECX, times EBX, by EAX; where it says so. */
uint64_t port_cycle_rate(void)
{
	struct x86_cpuid ratio = x86_cpuid(0x15);

	if (ratio.eax != 0 && ratio.ecx != 0)
		return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
	if (measured_rate == 0)
		measured_rate = measure_rate();
	return measured_rate;
}

/* ---- Tables ---- */

/* CPUID 8000_0001h, EDX. */
#define HAS_PAGES_1G (1u << 26)

/* QEMU emulates no numbers of address spaces, so there is no code for them. */
struct fh_table_format port_table_format(void)
{
	bool has_1g = (x86_cpuid(0x80000001).edx & HAS_PAGES_1G) != 0;

	return (struct fh_table_format){
		.levels = (x86_read_cr4() & CR4_LA57) != 0 ? 5 : 4,
		.huge_level = has_1g ? 3 : 2,
		.features = has_1g ? FH_X86_64_PAGES_1G : 0,
		.asids = 1,
	};
}

struct fh_paddr port_boot_root(void)
{
	return fh_paddr(x86_read_cr3() & FH_X86_64_ADDRESS);
}
