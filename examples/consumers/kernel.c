/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The least kernel that uses Framehold: tier 0 of its hooks (port/host_up.c
 * and port/host_none.c are the rest), the four memory functions that
 * compilers expect, and a main function. It is built and linked, with nothing
 * left undefined, to show that the build files work; it is not booted.
 */
#include <framehold/framehold.h>

/* Where the boot code mapped all of physical memory. */
#define LINEAR_BASE UINT64_C(0xffff800000000000)

static struct fh_region regions[] = {
	{0x1000, 0x9e000, FH_REGION_USABLE},
	{0x100000, 0x200000, FH_REGION_KERNEL},
	{0x300000, 0x7d00000, FH_REGION_USABLE},
};

static struct fh_span spans[6];

void fh_host_panic(const struct fh_finding *why)
{
	char text[FH_FINDING_TEXT_SIZE];

	/* A kernel prints it. */
	fh_finding_text(why, text, sizeof(text));
	for (;;)
		continue;
}

void *fh_host_linear(struct fh_paddr pa)
{
	return (void *)(LINEAR_BASE + pa.bytes);
}

/* One piece of memory, so that the linear map is the window. */
enum fh_status fh_host_map_window(enum fh_window window, uint64_t first,
				  struct fh_paddr pa, uint64_t n)
{
	(void)n;
	if (window != FH_WINDOW_SLOTS || first != 0)
		return FH_E_INVALID;
	fh_slot_array = fh_host_linear(pa);
	return FH_OK;
}

void *memcpy(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (n-- > 0)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	unsigned char *t = to;

	while (n-- > 0)
		*t++ = (unsigned char)byte;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)t <= (uintptr_t)f)
		return memcpy(to, from, n);
	while (n-- > 0)
		t[n] = f[n];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

int kernel_main(void);

int kernel_main(void)
{
	struct fh_memory_map map = {.spans = spans, .capacity = 6};
	struct fh_init_options options = {.map = &map};
	struct fh_frame frame;
	size_t bad;

	if (fh_map_normalise(regions, 3, &map, &bad) != FH_OK ||
	    fh_init(&options) != FH_OK ||
	    fh_frame_alloc(NULL, &fh_untyped_type, NULL, &frame) != FH_OK)
		return 1;
	fh_frame_put(&frame);
	return 0;
}
