/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The demo kernel, from the boot loader to the last line. Its command line:
 *
 *     replay       the memory map is the one in the module
 *     programs=N   each program N times at once (1)
 *     rounds=N     all of that N times (1)
 *     storm=N      operations of each CPU in the storm (500)
 *     cpus=N       at most so many
 *     measure      say what operations cost
 *     hold         when all is done, tell the intents and stay, for others to
 *                  look at the machine from outside
 *
 * The last line is PASS or FAIL, and so is the status that the machine ends
 * with.
 */
#include "measure.h"
#include "memory.h"
#include "print.h"
#include "probe.h"
#include "process.h"
#include "storm.h"
#include "tables.h"
#include "team.h"
#include "text.h"

struct kernel_stack kernel_stacks[FH_MAX_CPUS];

static struct boot_info boot;

FH_NORETURN static void end(bool passed)
{
	print(passed ? "PASS\n" : "FAIL\n");
	port_exit(passed);
}

/* ---- Coming up ---- */

static void read_boot(void)
{
	const char *why = port_read_boot(&boot);

	if (why != NULL) {
		print("boot: %s\n", why);
		end(false);
	}
	uint64_t most = text_number(boot.command, "cpus=", boot.cpus);
	if (most < boot.cpus && most > 0)
		boot.cpus = (unsigned)most;
	print("framehold on %s, %s build, %u CPUs, \"%s\"\n", PORT_NAME,
	      FH_CHECKED ? "checked" : "plain", boot.cpus, boot.command);
	if (boot.ignored != 0)
		print("memory: %lu MiB lie beyond the linear map, and are "
		      "left out\n",
		      boot.ignored >> 20);
}

static void come_up(void)
{
	measure_mark_stacks();
	read_boot();
	if (!memory_bring_up(&boot) || !tables_build(memory_map()))
		end(false);
	port_cpu_setup(0);
	if (!team_start(boot.cpus) || !tables_dismiss_boot())
		end(false);
	print("cpus: %u run on the kernel's tables\n", team_size());
}

FH_NORETURN void kernel_secondary_main(unsigned cpu)
{
	fh_cpu_online(cpu);
	tables_enter();
	port_cpu_setup(cpu);
	if (!tables_dismiss_boot())
		end(false);
	team_join(cpu);
}

/* ---- Working ---- */

static bool run_programs(uint64_t instances)
{
	struct process_totals totals;
	bool started = true;

	process_reset();
	for (uint64_t i = 0; i < instances; i++)
		for (const struct program *p = programs; p->name != NULL; p++)
			started = process_start(p, i) && started;
	team_run(process_run_all);
	process_totals(&totals);
	print("programs: %lu processes, %lu calls, %lu faults answered, %lu "
	      "refused, %lu moves, %lu interrupts, %lu failed\n",
	      totals.started, totals.calls, totals.faults, totals.refused,
	      totals.moves, totals.wakes, totals.failed);
	return started && totals.failed == 0;
}

static bool work(void)
{
	uint64_t rounds = text_number(boot.command, "rounds=", 1);
	uint64_t instances = text_number(boot.command, "programs=", 1);
	uint64_t operations = text_number(boot.command, "storm=", 500);
	bool passed = probe_shootdown() == 0;

	for (uint64_t i = 0; i < rounds; i++)
		passed = run_programs(instances) && passed;
	passed = storm_run(operations) == 0 && passed;
	if (text_has_word(boot.command, "measure"))
		measure_operations();
	return passed;
}

/* ---- Looking back ---- */

static uint64_t free_pages(void)
{
	struct fh_alloc_stats stats;

	fh_settle();
	fh_alloc_stats(&stats);
	return stats.free;
}

static bool compare_free(uint64_t before)
{
	uint64_t after = free_pages();

	print("free pages: %lu before, %lu after\n", before, after);
	return before == after;
}

static bool audit(void)
{
	struct fh_table_totals totals = {.nodes = 0};
	struct fh_finding finding;
	char text[FH_FINDING_TEXT_SIZE];
	enum fh_status status = fh_audit(&finding);

	if (status == FH_OK)
		status = fh_audit_table(&kernel_table, &totals, &finding);
	if (status != FH_OK) {
		fh_finding_text(&finding, text, sizeof(text));
		print("audit: %s\n", text);
		return false;
	}
	print("audit: clean; the kernel's table: %lu nodes, %lu pages, %lu "
	      "large leaves\n",
	      totals.nodes, totals.tracked + totals.untracked, totals.huge);
	return true;
}

FH_NORETURN static void hold(bool passed)
{
	tables_tell_intents();
	print("%s\nHOLD\n", passed ? "PASS" : "FAIL");
	for (;;)
		fh_host_relax();
}

FH_NORETURN void kernel_main(void)
{
	come_up();
	bool passed = probe_tables(memory_map()) == 0;

	/* From now on: the kernel's table keeps the nodes of its first area. */
	uint64_t before = free_pages();
	passed = work() && passed;
	passed = compare_free(before) && passed;
	measure_stacks();
	team_end();
	passed = audit() && passed;
	if (text_has_word(boot.command, "hold"))
		hold(passed);
	end(passed);
}
