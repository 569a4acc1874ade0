/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CPUs of the hosted machine, stops that are caught, and hooks that catch a
 * library or a test that breaks the rules of host.h. What ends the process is
 * tried in a child process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <framehold/framehold.h>

#include "hosted.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

#define CPUS 4

/* 16 MiB, a hole of more than a section, 4 MiB. */
static const struct fh_region small_map[] = {
	{.base = 0, .size = 16 * MIB, .kind = FH_REGION_USABLE},
	{.base = 512 * MIB, .size = 4 * MIB, .kind = FH_REGION_USABLE},
};
#define SMALL_END (516 * MIB)

static int start_machine(void **state)
{
	(void)state;
	return hosted_start(small_map, 2, NULL) == FH_OK ? 0 : -1;
}

static int stop_machine(void **state)
{
	(void)state;
	hosted_stop();
	return 0;
}

/* ---- CPUs ---- */

struct roll_call {
	unsigned present[FH_MAX_CPUS];
	unsigned count; /* atomic */
	pthread_t thread_of_0;
};

static void answer(unsigned cpu, void *arg)
{
	struct roll_call *call = arg;

	fh_host_preempt_off();
	if (fh_host_cpu() == cpu)
		call->present[cpu]++;
	fh_host_preempt_on();
	if (cpu == 0)
		call->thread_of_0 = pthread_self();
	__atomic_add_fetch(&call->count, 1, __ATOMIC_RELAXED);
	/* Ends only if all run at the same time. */
	while (__atomic_load_n(&call->count, __ATOMIC_RELAXED) < CPUS)
		fh_host_relax();
}

static void cpus_run_beside_each_other_by_number(void **state)
{
	(void)state;
	struct roll_call call = {.count = 0};

	hosted_run(CPUS, answer, &call);
	for (unsigned i = 0; i < FH_MAX_CPUS; i++)
		assert_int_equal(call.present[i], i < CPUS ? 1 : 0);
	assert_true(pthread_equal(call.thread_of_0, pthread_self()));
}

static void count_run(unsigned cpu, void *arg)
{
	unsigned *runs = arg;

	__atomic_add_fetch(&runs[cpu], 1, __ATOMIC_RELAXED);
}

static void as_many_cpus_as_configured(void **state)
{
	(void)state;
	unsigned runs[FH_MAX_CPUS] = {0};

	hosted_run(FH_MAX_CPUS, count_run, runs);
	for (unsigned i = 0; i < FH_MAX_CPUS; i++)
		assert_int_equal(runs[i], 1);
}

static void caller_is_cpu_0_outside_of_a_run(void **state)
{
	(void)state;
	fh_host_preempt_off();
	assert_int_equal(fh_host_cpu(), 0);
	fh_host_preempt_on();
}

static void preemption_and_interrupts_nest(void **state)
{
	(void)state;
	uint64_t outer = fh_host_irq_save();
	uint64_t inner = fh_host_irq_save();

	assert_int_not_equal(outer, inner);
	fh_host_irq_restore(inner);
	/* Still off: asking for the number is allowed. */
	assert_int_equal(fh_host_cpu(), 0);
	fh_host_irq_restore(outer);
	fh_host_preempt_off();
	fh_host_preempt_off();
	fh_host_preempt_on();
	assert_int_equal(fh_host_cpu(), 0);
	fh_host_preempt_on();
}

static void get_and_put(unsigned cpu, void *arg)
{
	struct fh_frame *frame = arg;

	(void)cpu;
	for (int i = 0; i < 1000; i++) {
		struct fh_frame mine = fh_frame_get(*frame);

		fh_frame_put(&mine);
	}
}

static void cpus_share_one_memory(void **state)
{
	(void)state;
	struct fh_frame frame = fh_frame_none();

	assert_int_equal(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame),
			 FH_OK);
	hosted_run(CPUS, get_and_put, &frame);
	assert_int_equal(fh_frame_reference_count(frame), 1);
	fh_frame_put(&frame);
}

/* ---- Stopping the machine ---- */

static void stop_by_rule(void *arg)
{
	const struct fh_finding finding = {
		.rule = arg,
		.frame = 7,
		.needed = "anything else",
	};

	fh_host_preempt_off();
	(void)fh_host_irq_save();
	fh_host_panic(&finding);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

static char one_rule[] = "one_rule";
static char other_rule[] = "other_rule";

static void idle(unsigned cpu, void *arg)
{
	(void)cpu;
	(void)arg;
}

static void stop_is_caught_with_its_finding(void **state)
{
	(void)state;
	struct fh_finding finding = {.rule = NULL};

	assert_true(hosted_stops(stop_by_rule, one_rule, &finding));
	assert_string_equal(finding.rule, one_rule);
	assert_int_equal(finding.frame, 7);
	/* Preemption and interrupts are as they were before: on. */
	assert_int_equal(fh_host_irq_save(), 0);
	fh_host_irq_restore(0);
	hosted_run(1, idle, NULL);
}

static void body_that_returns_is_no_stop(void **state)
{
	(void)state;
	struct fh_finding finding = {.rule = one_rule};

	assert_false(hosted_stops(do_nothing, NULL, &finding));
	assert_ptr_equal(finding.rule, one_rule);
}

static void stop_inside_and_then_outside(void *arg)
{
	struct fh_finding inner = {.rule = NULL};

	if (hosted_stops(stop_by_rule, one_rule, &inner) &&
	    inner.rule == one_rule)
		stop_by_rule(arg);
}

static void catches_nest(void **state)
{
	(void)state;
	struct fh_finding finding = {.rule = NULL};

	assert_true(hosted_stops(stop_inside_and_then_outside, other_rule,
				 &finding));
	assert_string_equal(finding.rule, other_rule);
}

static void catch_on_cpu(unsigned cpu, void *arg)
{
	struct fh_finding *findings = arg;

	if (!hosted_stops(stop_by_rule, cpu % 2 == 0 ? one_rule : other_rule,
			  &findings[cpu]))
		findings[cpu].rule = NULL;
}

static void each_cpu_catches_its_own_stop(void **state)
{
	(void)state;
	struct fh_finding findings[CPUS] = {{.rule = NULL}};

	hosted_run(CPUS, catch_on_cpu, findings);
	for (unsigned i = 0; i < CPUS; i++)
		assert_ptr_equal(findings[i].rule,
				 i % 2 == 0 ? one_rule : other_rule);
}

static void put_by_force(void *arg)
{
	struct fh_frame forged = *(struct fh_frame *)arg;

	fh_frame_put(&forged);
}

static void library_stops_through_the_hook(void **state)
{
	(void)state;
	struct fh_frame frame = fh_frame_none();
	struct fh_finding finding = {.rule = NULL};

	assert_int_equal(fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame),
			 FH_OK);
	uint64_t number = fh_frame_number(frame);
	struct fh_frame forged = frame;
	fh_frame_put(&frame);
	assert_true(hosted_stops(put_by_force, &forged, &finding));
	assert_int_equal(finding.frame, number);
	/* Nothing else is allowed after a stop. */
	hosted_stop();
	assert_int_equal(start_machine(NULL), 0);
}

/* ---- Broken rules end the process ---- */

struct child {
	int status;
	char said[1024]; /* on stderr */
};

/* Runs body(arg) in a process of its own, on a machine like this one. */
static struct child run_child(void (*body)(void *arg), void *arg)
{
	struct child child = {.status = 0};
	int pipe_ends[2];

	assert_int_equal(pipe(pipe_ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(pipe_ends[1], STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		(void)signal(SIGSEGV, SIG_DFL);
		body(arg);
		_exit(0);
	}
	(void)close(pipe_ends[1]);
	size_t size = 0;
	ssize_t n;
	while ((n = read(pipe_ends[0], child.said + size,
			 sizeof(child.said) - 1 - size)) > 0)
		size += (size_t)n;
	(void)close(pipe_ends[0]);
	assert_int_equal(waitpid(pid, &child.status, 0), pid);
	return child;
}

static void aborts_saying(void (*body)(void *arg), const char *text)
{
	struct child child = run_child(body, NULL);

	assert_true(WIFSIGNALED(child.status));
	assert_int_equal(WTERMSIG(child.status), SIGABRT);
	if (strstr(child.said, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", child.said, text);
}

static void stop_uncaught(void *arg)
{
	(void)arg;
	stop_by_rule(one_rule);
}

static void uncaught_stop_says_the_rule_and_aborts(void **state)
{
	(void)state;
	aborts_saying(stop_uncaught, "CPU 0 stopped the machine: one_rule");
}

static void ask_for_number_while_preemptible(void *arg)
{
	(void)arg;
	(void)fh_host_cpu();
}

static void asking_for_a_number_that_may_change_aborts(void **state)
{
	(void)state;
	aborts_saying(ask_for_number_while_preemptible, "its number");
}

static void allow_preemption_twice(void *arg)
{
	(void)arg;
	fh_host_preempt_off();
	fh_host_preempt_on();
	fh_host_preempt_on();
}

static void unbalanced_preemption_aborts(void **state)
{
	(void)state;
	aborts_saying(allow_preemption_twice, "preemption");
}

static void restore_interrupts_twice(void *arg)
{
	uint64_t saved = fh_host_irq_save();

	(void)arg;
	fh_host_irq_restore(saved);
	fh_host_irq_restore(saved);
}

static void unbalanced_interrupts_abort(void **state)
{
	(void)state;
	aborts_saying(restore_interrupts_twice, "interrupts");
}

static void leave_preemption_off(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 1)
		fh_host_preempt_off();
}

static void run_cpu_that_leaves_preemption_off(void *arg)
{
	hosted_run(2, leave_preemption_off, arg);
}

static void cpu_that_ends_with_preemption_off_aborts(void **state)
{
	(void)state;
	aborts_saying(run_cpu_that_leaves_preemption_off, "CPU 1: ended");
}

static void look_beyond_ram(void *arg)
{
	(void)arg;
	(void)fh_host_linear(fh_paddr(SMALL_END));
}

static void linear_address_beyond_ram_aborts(void **state)
{
	(void)state;
	aborts_saying(look_beyond_ram, "no RAM");
}

static void map_beyond_window(void *arg)
{
	(void)arg;
	/* Slots for 640 MiB, 5 sections, end at page 2560 of the window. */
	if (fh_host_map_window(FH_WINDOW_SLOTS, 2560, fh_paddr(4096), 1) ==
	    FH_OK)
		_exit(0);
}

static void mapping_beyond_the_window_aborts(void **state)
{
	(void)state;
	aborts_saying(map_beyond_window, "beyond the window");
}

static void read_slot_of_hole(void *arg)
{
	uint64_t hole = 256 * MIB / FH_PAGE_SIZE;

	(void)arg;
	/* A sanitizer may report it and end the process in its own way. */
	if (fh_state_load_relaxed(hole) != FH_STATE_FREE)
		_exit(0);
}

static void slot_without_memory_cannot_be_read(void **state)
{
	(void)state;
	struct child child = run_child(read_slot_of_hole, NULL);

	assert_false(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_run_beside_each_other_by_number),
		cmocka_unit_test(as_many_cpus_as_configured),
		cmocka_unit_test(caller_is_cpu_0_outside_of_a_run),
		cmocka_unit_test(preemption_and_interrupts_nest),
		cmocka_unit_test(cpus_share_one_memory),
		cmocka_unit_test(stop_is_caught_with_its_finding),
		cmocka_unit_test(body_that_returns_is_no_stop),
		cmocka_unit_test(catches_nest),
		cmocka_unit_test(each_cpu_catches_its_own_stop),
		cmocka_unit_test(library_stops_through_the_hook),
		cmocka_unit_test(uncaught_stop_says_the_rule_and_aborts),
		cmocka_unit_test(asking_for_a_number_that_may_change_aborts),
		cmocka_unit_test(unbalanced_preemption_aborts),
		cmocka_unit_test(unbalanced_interrupts_abort),
		cmocka_unit_test(cpu_that_ends_with_preemption_off_aborts),
		cmocka_unit_test(linear_address_beyond_ram_aborts),
		cmocka_unit_test(mapping_beyond_the_window_aborts),
		cmocka_unit_test(slot_without_memory_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, start_machine, stop_machine);
}
