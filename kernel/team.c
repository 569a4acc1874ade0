/* SPDX-License-Identifier: MPL-2.0 */
#include "team.h"

#include "port.h"
#include "print.h"

/* One CPU's, on a cache line of its own: its owner writes, others wait. */
struct member {
	_Alignas(128) uint64_t up;
	uint64_t finished; /* rounds */
	uint64_t meetings;
};

static struct {
	struct member members[FH_MAX_CPUS];
	unsigned size;
	uint64_t round;
	void (*body)(unsigned cpu); /* null: stop */
} team = {.size = 1};

unsigned team_size(void)
{
	return team.size;
}

static void idle(void)
{
	fh_poll();
	fh_host_relax();
}

/* Acquire: pairs with the release of whoever wrote the word. */
static void wait_until(const uint64_t *word, uint64_t value)
{
	while (fh_word_load_acquire(word) < value)
		idle();
}

bool team_start(unsigned cpus)
{
	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		if (!port_cpu_start(cpu)) {
			print("cpu %u: the firmware does not start it\n", cpu);
			return false;
		}
		wait_until(&team.members[cpu].up, 1);
		team.size = cpu + 1;
	}
	return true;
}

void team_join(unsigned cpu)
{
	struct member *self = &team.members[cpu];
	uint64_t round = fh_word_load_acquire(&team.round);

	/* Release, here and below: pairs with wait_until(). */
	fh_word_store_release(&self->up, 1);
	for (;;) {
		round++;
		wait_until(&team.round, round);
		if (team.body == NULL)
			break;
		team.body(cpu);
		fh_word_store_release(&self->finished, round);
	}
	/* It runs on the kernel's tables to the end: nobody unmaps those. */
	fh_kernel_deactivate();
	fh_cpu_offline(cpu);
	fh_word_store_release(&self->finished, round);
	port_cpu_stop();
}

static void begin_round(void (*body)(unsigned cpu))
{
	team.body = body;
	fh_word_store_release(&team.round, team.round + 1);
}

static void wait_for_all(void)
{
	for (unsigned cpu = 1; cpu < team.size; cpu++)
		wait_until(&team.members[cpu].finished, team.round);
}

void team_run(void (*body)(unsigned cpu))
{
	begin_round(body);
	body(0);
	wait_for_all();
}

void team_meet(unsigned cpu)
{
	uint64_t meeting = team.members[cpu].meetings + 1;

	fh_word_store_release(&team.members[cpu].meetings, meeting);
	for (unsigned other = 0; other < team.size; other++)
		wait_until(&team.members[other].meetings, meeting);
}

void team_end(void)
{
	begin_round(NULL);
	wait_for_all();
}
