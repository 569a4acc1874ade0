/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hooks of framehold/host.h that are the kernel's and not the machine's:
 * last words, and user memory that is filled in when it is touched. The windows
 * of metadata are in tables.c.
 */
#include "port.h"
#include "print.h"
#include "process.h"

FH_NORETURN void fh_host_panic(const struct fh_finding *why)
{
	char text[FH_FINDING_TEXT_SIZE];

	fh_finding_text(why, text, sizeof(text));
	print_last("PANIC on cpu %u: %s\n", fh_host_cpu(), text);
	port_exit(false);
}

FH_NORETURN void kernel_trap(const struct trap *trap)
{
	if (trap->kind == TRAP_FAULT)
		print_last("KERNEL FAULT on cpu %u: %s 0x%lx at 0x%lx, "
			   "cause 0x%lx\n",
			   fh_host_cpu(), process_access_name(trap->access),
			   trap->address, trap->pc, trap->cause);
	else
		print_last("KERNEL TRAP on cpu %u: %s at 0x%lx, cause 0x%lx\n",
			   fh_host_cpu(), trap->why == NULL ? "?" : trap->why,
			   trap->pc, trap->cause);
	port_exit(false);
}

/* ---- User memory ---- */

size_t fh_host_user_read(void *to, struct fh_vaddr from, size_t n)
{
	size_t done = 0;

	while (done < n) {
		done = n - port_copy_from_user((unsigned char *)to + done,
					       from.bytes + done, n - done);
		if (done < n &&
		    !process_fill_for_kernel(from.bytes + done, FH_ACCESS_READ))
			break;
	}
	return done;
}

size_t fh_host_user_write(struct fh_vaddr to, const void *from, size_t n)
{
	size_t done = 0;

	while (done < n) {
		done = n - port_copy_to_user(to.bytes + done,
					     (const unsigned char *)from + done,
					     n - done);
		if (done < n &&
		    !process_fill_for_kernel(to.bytes + done, FH_ACCESS_WRITE))
			break;
	}
	return done;
}

bool fh_host_user_load32(struct fh_vaddr from, uint32_t *value)
{
	while (!port_load_user32(from.bytes, value))
		if (!process_fill_for_kernel(from.bytes, FH_ACCESS_READ))
			return false;
	return true;
}

bool fh_host_user_cas32(struct fh_vaddr at, uint32_t expected, uint32_t desired,
			uint32_t *old)
{
	while (!port_cas_user32(at.bytes, expected, desired, old))
		if (!process_fill_for_kernel(at.bytes, FH_ACCESS_WRITE))
			return false;
	return true;
}

/* The kernel caches nothing that it could give up. */
bool fh_host_reclaim(uint64_t n)
{
	(void)n;
	return false;
}
