/* SPDX-License-Identifier: MPL-2.0 */
/*
 * port/host_up.c, the hooks of a kernel with one CPU, under other names beside
 * the hosted machine's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

unsigned up_cpu(void);
void up_preempt_off(void);
void up_preempt_on(void);
uint64_t up_irq_save(void);
void up_irq_restore(uint64_t saved);
void up_relax(void);
bool up_may_wait(void);
void up_kick(unsigned cpu);

#define fh_host_cpu         up_cpu
#define fh_host_preempt_off up_preempt_off
#define fh_host_preempt_on  up_preempt_on
#define fh_host_irq_save    up_irq_save
#define fh_host_irq_restore up_irq_restore
#define fh_host_relax       up_relax
#define fh_host_may_wait    up_may_wait
#define fh_host_kick        up_kick

#include "../port/host_up.c"

static void the_only_cpu_is_number_0(void **state)
{
	(void)state;
	up_preempt_off();
	assert_int_equal(up_cpu(), 0);
	up_preempt_on();
	uint64_t saved = up_irq_save();
	assert_int_equal(up_cpu(), 0);
	up_irq_restore(saved);
	assert_true(up_may_wait());
	up_kick(0);
}

static void wait(void *arg)
{
	(void)arg;
	up_relax();
}

/* Nobody else can end the wait. */
static void waiting_stops_the_machine(void **state)
{
	(void)state;
	struct fh_finding finding = {.rule = NULL};

	assert_true(hosted_stops(wait, NULL, &finding));
	assert_string_equal(finding.rule, "one_cpu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_only_cpu_is_number_0),
		cmocka_unit_test(waiting_stops_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
