/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ledger: in checked builds (FH_CHECKED) every owning handle is one unit
 * on each page it owns, counted by page and by kind, and remembers the site in
 * the caller's code that made it. A page's state word equals the sum of its
 * units at all times when no operation is under way; fh_audit() checks that.
 *
 * Units change inside the primitive operations and nowhere else. Putting a
 * copy of a handle again, restoring a page twice, or restoring one that was
 * never forgotten stops the machine with both call sites.
 *
 * In other builds the wrappers at the end of this file are empty and none of
 * the rest is referenced.
 *
 * Seed: MetaRegionOwners::frame_obligations, mint_frame_obligation,
 * redeem_frame_obligation.
 */
#ifndef FRAMEHOLD_LEDGER_H
#define FRAMEHOLD_LEDGER_H

#include <framehold/slot.h>

FH_BEGIN_DECLS

/* Who can own a page. */
enum fh_unit {
	FH_UNIT_FRAME = 0, /* struct fh_frame and its untyped and typed forms */
	FH_UNIT_SEGMENT,   /* each page of a struct fh_segment */
	FH_UNIT_RAW,       /* forgotten by into_raw, inc, or bring-up */
	FH_UNIT_ENTRY,     /* a page table entry */
	FH_UNIT_ROOT,      /* a CPU whose active root the page is */
	FH_UNIT_DEFERRED,  /* waits for a flush or a grace period */
	FH_UNIT_UNIQUE,    /* struct fh_unique */
	FH_UNIT_LIST,      /* a member of a struct fh_list */
	FH_UNIT_KINDS,
};

/* "frame", "segment", ...: for reports. */
const char *fh_unit_name(enum fh_unit kind);

/*
 * The units of one page. The sites are offsets from fh_init(), so that they
 * fit 32 bits; 0 is none.
 */
struct fh_ledger_page {
	uint32_t frames;
	uint32_t segments;
	uint32_t raws;
	uint32_t entries;
	uint32_t deferred;
	uint16_t roots;
	uint8_t uniques;
	uint8_t lists;
	int32_t forgotten_at; /* the last into_raw or entry into a list */
	int32_t restored_at;  /* the last from_raw */
};

FH_STATIC_ASSERT(sizeof(struct fh_ledger_page) == 32,
		 "32 bytes a page in checked builds");

/* The ledger's pages, by frame number: FH_LEDGER_PAGES in config.h. */
extern struct fh_ledger_page *fh_ledger_page_array;
#define fh_ledger_pages FH_LEDGER_PAGES

/* The units of one kind on a page with metadata. CPUs parked or page owned. */
uint64_t fh_ledger_units(uint64_t frame, enum fh_unit kind);

/* One live handle, as the leak report shows it. */
struct fh_leak {
	enum fh_unit kind;
	uint64_t first;   /* its first page, */
	uint64_t count;   /* how many pages, */
	uintptr_t site;   /* who made it, */
	uint64_t handles; /* and how many like it were made there */
};

/*
 * The leak report: live handles grouped by kind and call site, largest group
 * first. Writes up to capacity groups and returns how many it wrote; needs
 * every other CPU parked. Raw and list units, which no handle names, are not
 * in it: fh_audit_summary() counts them.
 */
size_t fh_ledger_leaks(struct fh_leak *leaks, size_t capacity);

/*
 * Whether no handle is live: every one was put or forgotten. Needs every
 * other CPU parked; always true in unchecked builds. Together with an audit
 * that finds nothing this is the seeds' clean_inv. Seed: clean_inv.
 */
bool fh_ledger_is_clean(void);

/* ---- For the primitive operations only ---- */

/* Width of the frame number in a handle; the rest names a ledger record. */
#define FH_HANDLE_FRAMES FH_FRAME_NUMBER_END

/* The address in the caller's code from which it is called. */
uintptr_t fh_here(void);

#define FH_HERE   (FH_CHECKED ? fh_here() : 0)
#define FH_CALLER (FH_CHECKED ? (uintptr_t)__builtin_return_address(0) : 0)

uint64_t fh_ledger_mint(uint64_t first, uint64_t n, enum fh_unit kind,
			uintptr_t site);
void fh_ledger_redeem(uint64_t handle, uint64_t n, enum fh_unit kind,
		      uintptr_t site);
void fh_ledger_forget(uint64_t handle, uint64_t n, enum fh_unit kind,
		      uintptr_t site);
uint64_t fh_ledger_restore(uint64_t first, uint64_t n, enum fh_unit kind,
			   uintptr_t site);
void fh_ledger_mint_raw(uint64_t first, uint64_t n);
void fh_ledger_enter_list(uint64_t handle, uintptr_t site);
uint64_t fh_ledger_leave_list(uint64_t frame, uintptr_t site);
void fh_ledger_check(uint64_t handle, enum fh_unit kind, uintptr_t site);
uint64_t fh_ledger_advance(uint64_t handle, uint64_t n, uintptr_t site);
void fh_ledger_check_dropped(uint64_t frame, uintptr_t site);
void fh_ledger_become(uint64_t handle, uint64_t n, enum fh_unit kind,
		      enum fh_unit into, uintptr_t site);
void fh_ledger_shift(uint64_t first, uint64_t n, enum fh_unit from,
		     enum fh_unit into, uintptr_t site);
void fh_ledger_add(uint64_t first, uint64_t n, enum fh_unit kind);
void fh_ledger_remove(uint64_t first, uint64_t n, enum fh_unit kind,
		      uintptr_t site);

/* The frame number in a handle. */
/*@
  assigns \nothing;
  exits \false;
  ensures \result == handle;
*/
FH_INLINE uint64_t fh_handle_frame(uint64_t handle)
{
	return FH_CHECKED ? handle % FH_HANDLE_FRAMES : handle;
}

/* A new handle on n pages; in other builds just their first number. */
/*@
  requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
  requires \forall integer i; first <= i < first + n ==>
    g_held[i] < UINT64_MAX;
  assigns g_held[first .. first + n - 1];
  exits \false;
  ensures \forall integer i; first <= i < first + n ==>
    g_held[i] == \old(g_held[i]) + 1;
  ensures \result == first;
*/
FH_INLINE uint64_t fh_unit_mint(uint64_t first, uint64_t n, enum fh_unit kind,
				uintptr_t site)
{
	/*@ ghost ghost_mint(first, n); */
	return FH_CHECKED ? fh_ledger_mint(first, n, kind, site) : first;
}

/* The handle ends. Before the state word lets go of the page. */
/*@
  requires handle <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - handle;
  requires \forall integer i; handle <= i < handle + n ==>
    g_held[i] > 0;
  assigns g_held[handle .. handle + n - 1];
  exits \false;
  ensures \forall integer i; handle <= i < handle + n ==>
    g_held[i] == \old(g_held[i]) - 1;
*/
FH_INLINE void fh_unit_redeem(uint64_t handle, uint64_t n, enum fh_unit kind,
			      uintptr_t site)
{
	/*@ ghost ghost_redeem(handle, n); */
	if (FH_CHECKED)
		fh_ledger_redeem(handle, n, kind, site);
}

/* The handle's units become raw. Seed: into_raw, ManuallyDrop::new. */
/*@
  requires handle <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - handle;
  requires \forall integer i; handle <= i < handle + n ==>
    g_held[i] > 0;
  requires \forall integer i; handle <= i < handle + n ==>
    g_raw[i] < UINT64_MAX;
  assigns g_held[handle .. handle + n - 1], g_raw[handle .. handle + n - 1];
  exits \false;
  ensures \forall integer i; handle <= i < handle + n ==>
    g_held[i] == \old(g_held[i]) - 1;
  ensures \forall integer i; handle <= i < handle + n ==>
    g_raw[i] == \old(g_raw[i]) + 1;
*/
FH_INLINE void fh_unit_forget(uint64_t handle, uint64_t n, enum fh_unit kind,
			      uintptr_t site)
{
	/*@ ghost ghost_redeem(handle, n); */
	/*@ ghost ghost_mint_raw(handle, n); */
	if (FH_CHECKED)
		fh_ledger_forget(handle, n, kind, site);
}

/* Raw units become a handle's. Seed: from_raw. */
/*@
  requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
  requires \forall integer i; first <= i < first + n ==>
    g_raw[i] > 0;
  requires \forall integer i; first <= i < first + n ==>
    g_held[i] < UINT64_MAX;
  assigns g_held[first .. first + n - 1], g_raw[first .. first + n - 1];
  exits \false;
  ensures \forall integer i; first <= i < first + n ==>
    g_held[i] == \old(g_held[i]) + 1;
  ensures \forall integer i; first <= i < first + n ==>
    g_raw[i] == \old(g_raw[i]) - 1;
  ensures \result == first;
*/
FH_INLINE uint64_t fh_unit_restore(uint64_t first, uint64_t n,
				   enum fh_unit kind, uintptr_t site)
{
	/*@ ghost ghost_redeem_raw(first, n); */
	/*@ ghost ghost_mint(first, n); */
	return FH_CHECKED ? fh_ledger_restore(first, n, kind, site) : first;
}

/* New units that are raw from the start. */
/*@
  requires first <= FH_MAX_FRAMES && n <= FH_MAX_FRAMES - first;
  requires \forall integer i; first <= i < first + n ==>
    g_raw[i] < UINT64_MAX;
  assigns g_raw[first .. first + n - 1];
  exits \false;
  ensures \forall integer i; first <= i < first + n ==>
    g_raw[i] == \old(g_raw[i]) + 1;
*/
FH_INLINE void fh_unit_mint_raw(uint64_t first, uint64_t n)
{
	/*@ ghost ghost_mint_raw(first, n); */
	if (FH_CHECKED)
		fh_ledger_mint_raw(first, n);
}

/* The unit of a unique handle becomes the list's, */
/*@
  requires handle < FH_MAX_FRAMES;
  requires g_held[handle] > 0 && g_raw[handle] < UINT64_MAX;
  assigns g_held[handle], g_raw[handle];
  exits \false;
  ensures g_held[handle] == \old(g_held[handle]) - 1;
  ensures g_raw[handle] == \old(g_raw[handle]) + 1;
*/
FH_INLINE void fh_unit_enter_list(uint64_t handle, uintptr_t site)
{
	/*@ ghost g_held[handle] = g_held[handle] - 1; */
	/*@ ghost g_raw[handle] = g_raw[handle] + 1; */
	if (FH_CHECKED)
		fh_ledger_enter_list(handle, site);
}

/* and again a unique handle's. */
/*@
  requires frame < FH_MAX_FRAMES;
  requires g_raw[frame] > 0 && g_held[frame] < UINT64_MAX;
  assigns g_held[frame], g_raw[frame];
  exits \false;
  ensures g_held[frame] == \old(g_held[frame]) + 1;
  ensures g_raw[frame] == \old(g_raw[frame]) - 1;
  ensures \result == frame;
*/
FH_INLINE uint64_t fh_unit_leave_list(uint64_t frame, uintptr_t site)
{
	/*@ ghost g_raw[frame] = g_raw[frame] - 1; */
	/*@ ghost g_held[frame] = g_held[frame] + 1; */
	return FH_CHECKED ? fh_ledger_leave_list(frame, site) : frame;
}

/*
 * The segment's unit on its first page ends; the handle it has from then on,
 * on one page less.
 */
/*@
  requires handle < FH_MAX_FRAMES;
  requires n > 0 && g_held[handle] > 0;
  assigns g_held[handle];
  exits \false;
  ensures g_held[handle] == \old(g_held[handle]) - 1;
  ensures \result == (n > 1 ? handle + 1 : 0);
*/
FH_INLINE uint64_t fh_unit_advance(uint64_t handle, uint64_t n, uintptr_t site)
{
	/*@ ghost g_held[handle] = g_held[handle] - 1; */
	if (FH_CHECKED)
		return fh_ledger_advance(handle, n, site);
	return n > 1 ? handle + 1 : 0;
}

/*
 * Units that no handle names: of entries, roots, and pages that wait. A
 * handle's become such, ...
 */
FH_INLINE void fh_unit_become(uint64_t handle, uint64_t n, enum fh_unit kind,
			      enum fh_unit into, uintptr_t site)
{
	if (FH_CHECKED)
		fh_ledger_become(handle, n, kind, into, site);
}

/* ... those of one kind become those of another, ... */
FH_INLINE void fh_unit_shift(uint64_t first, uint64_t n, enum fh_unit from,
			     enum fh_unit into, uintptr_t site)
{
	if (FH_CHECKED)
		fh_ledger_shift(first, n, from, into, site);
}

/* ... and they begin and end by themselves. */
FH_INLINE void fh_unit_add(uint64_t first, uint64_t n, enum fh_unit kind)
{
	if (FH_CHECKED)
		fh_ledger_add(first, n, kind);
}

FH_INLINE void fh_unit_remove(uint64_t first, uint64_t n, enum fh_unit kind,
			      uintptr_t site)
{
	if (FH_CHECKED)
		fh_ledger_remove(first, n, kind, site);
}

/* Stops the machine if anybody still has a unit on a page being dropped. */
/*@
  requires frame < FH_MAX_FRAMES;
  requires g_held[frame] == 0 && g_raw[frame] == 0;
  assigns \nothing;
  exits \false;
*/
FH_INLINE void fh_unit_check_dropped(uint64_t frame, uintptr_t site)
{
	if (FH_CHECKED)
		fh_ledger_check_dropped(frame, site);
}

/* Stops the machine unless the handle is live. */
/*@
  requires handle < FH_MAX_FRAMES;
  requires g_held[handle] > 0;
  assigns \nothing;
  exits \false;
*/
FH_INLINE void fh_unit_check(uint64_t handle, enum fh_unit kind, uintptr_t site)
{
	if (FH_CHECKED)
		fh_ledger_check(handle, kind, site);
}

FH_END_DECLS

#endif /* FRAMEHOLD_LEDGER_H */
