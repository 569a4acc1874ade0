/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random operations of four CPUs on the same spaces, on the hosted MMU, against
 * a model of every page: space_model.h. Each CPU's are the same in every run,
 * but not how they interleave.
 */
#include "harness.h"

#include <string.h>

#include "mmu.h"
#include "space_model.h"

#include "codec.h"

#define STEPS  3000
#define CHECKS 25 /* steps of one CPU between two looks at everything */

static struct model_walker walkers[MODEL_WALKERS];
static struct model_source sources[MODEL_WALKERS];
static uint64_t free_at_start;

/* Room for what four CPUs map at a time. */
static const struct fh_region ram = {
	.base = 0, .size = UINT64_C(192) << 20, .kind = FH_REGION_USABLE};

static enum hosted_mmu_format own_format(void)
{
	static const char *const names[HOSTED_MMU_FORMATS] = {
		[HOSTED_MMU_X86_64] = "x86-64",
		[HOSTED_MMU_RISCV] = "RISC-V",
		[HOSTED_MMU_AARCH64] = "AArch64",
		[HOSTED_MMU_LOONGARCH] = "LoongArch64",
		[HOSTED_MMU_HOSTILE] = "hostile",
	};
	unsigned i = 0;

	while (i < HOSTED_MMU_FORMATS && strcmp(names[i], FH_ARCH_NAME) != 0)
		i++;
	return (enum hosted_mmu_format)i;
}

static bool answer_fault(unsigned cpu, uint64_t va, enum hosted_access access,
			 void *arg)
{
	static const enum fh_access kinds[] = {
		[HOSTED_LOAD] = FH_ACCESS_READ,
		[HOSTED_STORE] = FH_ACCESS_WRITE,
		[HOSTED_FETCH] = FH_ACCESS_EXEC,
	};

	(void)arg;
	return model_fault(&walkers[cpu], va, kinds[access]);
}

static int start_spaces(void **state)
{
	(void)state;
	hosted_stop();
	if (hosted_start(&ram, 1, NULL) != FH_OK)
		return -1;
	free_at_start = count_free();
	OK(hosted_mmu_start(own_format(), 4));
	hosted_mmu_set_fault_handler(answer_fault, NULL);
	model_spaces_open();
	for (unsigned i = 0; i < MODEL_WALKERS; i++) {
		sources[i] = (struct model_source){.pick = model_pick_random,
						   .state = 77 + i};
		model_walker_open(&walkers[i], i, &sources[i], true);
	}
	return 0;
}

static int stop_spaces(void **state)
{
	struct hosted_mmu_report report;
	char text[HOSTED_MMU_TEXT_SIZE];

	if (!hosted_mmu_check(&report)) {
		hosted_mmu_report_text(&report, text, sizeof(text));
		fail_msg("MMU: %s", text);
	}
	model_spaces_check();
	model_spaces_close();
	AUDIT();
	NOTHING_HELD(free_at_start);
	return stop_machine(state);
}

static void walk(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < STEPS; i++) {
		model_step(&walkers[cpu]);
		if (i % 8 == 0)
			model_wild_step(&walkers[cpu]);
		if (i % 4 == 0)
			fh_poll();
	}
	model_walker_close(&walkers[cpu]);
}

static void one_cpu_agrees_with_the_model(void **state)
{
	struct model_walker *w = &walkers[0];

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		model_step(w);
		if (i % (STEPS / CHECKS) == 0)
			model_spaces_check();
	}
	model_walker_close(w);
}

static void four_cpus_agree_with_the_model(void **state)
{
	(void)state;
	hosted_run(MODEL_WALKERS, walk, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_cpu_agrees_with_the_model,
						start_spaces, stop_spaces),
		cmocka_unit_test_setup_teardown(four_cpus_agree_with_the_model,
						start_spaces, stop_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
