/* SPDX-License-Identifier: MPL-2.0 */
/*
 * GICv2, the machine's default, by its registers in memory, for 8 CPUs at most;
 * GICv3 and later by the CPU's, if it says that it has them. Of interrupts there
 * are one that software makes, and the virtual timer's, which only ever ends a
 * CPU's nap.
 */
#include "gic.h"

#include "machine.h"
#include "port.h"
#include "registers.h"

/* The interrupts' numbers: a software's, and the virtual timer's. */
#define KICK  0
#define TIMER 27

/*
 * From here on, 4 that say that nothing was taken. All else has to be ended: the
 * controller may still hand out the timer's when it is not pending any more, and
 * until that one is ended nothing of its priority comes.
 */
#define NOT_ANY 1020

#define ENABLED (UINT32_C(1) << KICK | UINT32_C(1) << TIMER)

/* What a CPU is called in the register that interrupts it; 0: not set up. */
static uint64_t targets[FH_MAX_CPUS];

static bool is_version_3(void)
{
	return (read_register("id_aa64pfr0_el1") >> 24 & 0xf) != 0;
}

/* ---- GICv2 ---- */

#define GICD_CTLR       (MACHINE_GICD + 0x000)
#define GICD_ISENABLER0 (MACHINE_GICD + 0x100)
#define GICD_ITARGETSR0 (MACHINE_GICD + 0x800)
#define GICD_SGIR       (MACHINE_GICD + 0xf00)
#define GICC_CTLR       (MACHINE_GICC + 0x00)
#define GICC_PMR        (MACHINE_GICC + 0x04)
#define GICC_IAR        (MACHINE_GICC + 0x0c)
#define GICC_EOIR       (MACHINE_GICC + 0x10)

static void setup_v2(unsigned cpu)
{
	*device(GICD_CTLR) = 1;
	*device(GICD_ISENABLER0) = ENABLED;
	/* Each CPU reads its own bit there. */
	targets[cpu] = (*device(GICD_ITARGETSR0) & 0xff) << 16 | KICK;
	*device(GICC_PMR) = 0xff;
	*device(GICC_CTLR) = 1;
}

static bool answer_v2(void)
{
	uint32_t taken = *device(GICC_IAR);
	uint32_t number = taken & 0x3ff;

	if (number < NOT_ANY)
		*device(GICC_EOIR) = taken;
	return number == KICK;
}

/* ---- GICv3 ---- */

#define GICR_SIZE       0x20000
#define GICR_TYPER      0x0008 /* and the CPU's affinity behind it */
#define GICR_WAKER      0x0014
#define GICR_IGROUPR0   0x10080
#define GICR_ISENABLER0 0x10100

#define ICC_PMR     "S3_0_C4_C6_0"
#define ICC_IAR1    "S3_0_C12_C12_0"
#define ICC_EOIR1   "S3_0_C12_C12_1"
#define ICC_SGI1R   "S3_0_C12_C11_5"
#define ICC_SRE     "S3_0_C12_C12_5"
#define ICC_IGRPEN1 "S3_0_C12_C12_7"

/* This CPU's part of the redistributor, by affinity; the last one otherwise. */
static uint64_t redistributor(uint64_t mpidr)
{
	uint32_t affinity = (uint32_t)(mpidr >> 8 & 0xff000000) |
			    (uint32_t)(mpidr & 0xffffff);
	uint64_t at = MACHINE_GICR;

	while (*device(at + GICR_TYPER + 4) != affinity &&
	       (*device(at + GICR_TYPER) & 1 << 4) == 0)
		at += GICR_SIZE;
	return at;
}

static void setup_v3(unsigned cpu)
{
	uint64_t mpidr = read_register("mpidr_el1");
	uint64_t own = redistributor(mpidr);

	*device(GICD_CTLR) = 1 << 4 | 1 << 1; /* affinity routing, group 1 */
	*device(own + GICR_WAKER) &= ~UINT32_C(2);
	while ((*device(own + GICR_WAKER) & 4) != 0)
		fh_host_relax();
	*device(own + GICR_IGROUPR0) = UINT32_MAX;
	*device(own + GICR_ISENABLER0) = ENABLED;
	write_register(ICC_SRE, 7);
	instruction_barrier();
	write_register(ICC_PMR, 0xff);
	write_register(ICC_IGRPEN1, 1);
	instruction_barrier();
	targets[cpu] = (mpidr >> 32 & 0xff) << 48 | (mpidr >> 4 & 0xf) << 44 |
		       (mpidr >> 16 & 0xff) << 32 | KICK << 24 |
		       (mpidr >> 8 & 0xff) << 16 | UINT64_C(1) << (mpidr & 0xf);
}

static bool answer_v3(void)
{
	uint64_t taken = read_register(ICC_IAR1) & 0xffffff;

	if (taken < NOT_ANY)
		write_register(ICC_EOIR1, taken);
	return taken == KICK;
}

/* ---- Both ---- */

void gic_cpu_setup(unsigned cpu)
{
	if (is_version_3())
		setup_v3(cpu);
	else
		setup_v2(cpu);
}

void gic_interrupt(struct kernel_frame *frame)
{
	(void)frame;
	if (is_version_3() ? answer_v3() : answer_v2())
		fh_kicked();
}

/* What was stored before is seen by the CPU that is interrupted. */
void fh_host_kick(unsigned cpu)
{
	__asm__ volatile("dsb ishst" ::: "memory");
	if (is_version_3()) {
		write_register(ICC_SGI1R, targets[cpu]);
		instruction_barrier();
	} else {
		*device(GICD_SGIR) = (uint32_t)targets[cpu];
	}
}

/* ---- Waiting ---- */

#define TURNS_PER_NAP 64
#define NAPS_A_SECOND 16384

/*
 * Until the timer's interrupt or another one is pending. They are off, so that
 * no handler that waits itself takes the timer from us; by when they are on
 * again, the timer's is not pending any more.
 */
static void nap(void)
{
	uint64_t saved = fh_host_irq_save();

	write_register("cntv_tval_el0", port_cycle_rate() / NAPS_A_SECOND);
	write_register("cntv_ctl_el0", 1);
	instruction_barrier();
	__asm__ volatile("wfi" ::: "memory");
	write_register("cntv_ctl_el0", 0);
	instruction_barrier();
	fh_host_irq_restore(saved);
}

/* A CPU's turns so far; it sleeps only once interrupts reach it. */
static struct {
	_Alignas(64) uint64_t turns;
} waiting[FH_MAX_CPUS];

/*
 * Who is waited for may be a CPU that only runs when this one does not: a
 * virtual machine's often are more than the host's.
 */
void fh_host_relax(void)
{
	unsigned cpu = fh_host_cpu();

	__asm__ volatile("yield" ::: "memory");
	waiting[cpu].turns++;
	if (waiting[cpu].turns % TURNS_PER_NAP == 0 && targets[cpu] != 0)
		nap();
}
