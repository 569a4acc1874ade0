# SPDX-License-Identifier: MPL-2.0
"""Bugs to seed in proved code: read by proof/mutate.py.

Each entry: a unique name, the file, text that occurs exactly once in it, what
takes its place, and the function under contract of which a goal must then be
left without a proof. Where none is, `survives` says why.

Not here: weaker memory orders, which sequential contracts cannot tell apart
(tools/races.py --weaken), and bugs in what is trusted (test/mutations.py).
"""

ARITHMETIC = [
    dict(name="address_of_wrong_page", function="fh_paddr_of_frame",
         file="include/framehold/addr.h",
         old="	return fh_paddr(frame * FH_PAGE_SIZE);",
         new="	return fh_paddr(frame * FH_PAGE_SIZE + 1);"),
    dict(name="frame_of_address_rounds_up", function="fh_frame_of_paddr",
         file="include/framehold/addr.h",
         old="	return pa.bytes / FH_PAGE_SIZE;",
         new="	return (pa.bytes + FH_PAGE_SIZE - 1) / FH_PAGE_SIZE;"),
    dict(name="half_aligned_is_aligned", function="fh_paddr_is_aligned",
         file="include/framehold/addr.h",
         old="	return pa.bytes % FH_PAGE_SIZE == 0;",
         new="	return pa.bytes % (FH_PAGE_SIZE / 2) == 0;"),
]

SLOTS = [
    dict(name="slot_at_the_end", function="fh_slot_find",
         file="src/slot.h",
         old="	if (number >= fh_memory.frame_end)",
         new="	if (number > fh_memory.frame_end)"),
    dict(name="bound_before_alignment", function="fh_slot_find",
         file="src/slot.h",
         old="	if (!fh_paddr_is_aligned(pa))\n"
             "		return FH_E_NOT_ALIGNED;\n"
             "	if (number >= fh_memory.frame_end)\n"
             "		return FH_E_OUT_OF_BOUND;\n",
         new="	if (number >= fh_memory.frame_end)\n"
             "		return FH_E_OUT_OF_BOUND;\n"
             "	if (!fh_paddr_is_aligned(pa))\n"
             "		return FH_E_NOT_ALIGNED;\n"),
    dict(name="hole_has_a_slot", function="fh_slot_find",
         file="src/slot.h",
         old="	if (seen == FH_SECTION_ABSENT)\n"
             "		return FH_E_OUT_OF_BOUND;\n",
         new=""),
    dict(name="raw_section_is_read", function="fh_slot_find_live",
         file="src/slot.h",
         old="	if (status == FH_OK && section != FH_SECTION_LIVE)\n"
             "		return FH_E_UNUSED;\n",
         new=""),
    dict(name="claim_of_anything_succeeds", function="fh_slot_claim",
         file="src/slot.h",
         old="	return fh_slot_claim_other(frame, seen);",
         new="	return FH_OK;"),
    dict(name="claim_of_free_page_is_busy", function="fh_slot_claim_other",
         file="src/slot.c",
         old="	return seen == FH_STATE_FREE ? FH_OK : FH_E_BUSY;",
         new="	return FH_E_BUSY;"),
    dict(name="claim_without_withdrawing", function="fh_slot_claim_other",
         file="src/slot.c",
         old="	if (!fh_allocator_withdraw(frame))\n"
             "		return FH_E_BUSY;\n",
         new=""),
    dict(name="claim_leaves_page_free", function="fh_slot_claim_other",
         file="src/slot.c",
         old="	seen = fh_state_cas_acquire(frame, FH_STATE_FREE, "
             "FH_STATE_BUSY);",
         new="	seen = fh_state_cas_acquire(frame, FH_STATE_FREE, "
             "FH_STATE_FREE);"),
    dict(name="claim_in_raw_section", function="fh_slot_claim_at",
         file="src/slot.h",
         old="	if (FH_UNLIKELY(section == FH_SECTION_RAW))\n"
             "		fh_section_make_raw_live(number / FH_SECTION_FRAMES);\n",
         new=""),
    dict(name="claim_writes_number_on_error", function="fh_slot_claim_at",
         file="src/slot.h",
         old="	if (status == FH_OK)\n"
             "		*frame = number;\n"
             "	return status;",
         new="	*frame = number;\n"
             "	return status;"),
    dict(name="unique_claim_is_in_use", function="fh_claim_status",
         file="src/slot.c",
         old="	if (state == FH_STATE_UNIQUE)\n"
             "		return FH_E_UNIQUE;\n",
         new=""),
    dict(name="count_is_one_too_many", function="fh_ref_count",
         file="src/slot.c",
         old="	return state - FH_STATE_BUSY;",
         new="	return state - FH_STATE_BUSY + 1;"),
    dict(name="write_forgets_the_type", function="fh_slot_write",
         file="src/slot.h",
         old="	fh_slots[frame].type = type;\n", new=""),
    dict(name="write_of_null_words_keeps_old", function="fh_slot_write",
         file="src/slot.h",
         old="	fh_slots[frame].meta = meta != NULL ? *meta : fh_meta_zero;",
         new="	if (meta != NULL)\n		fh_slots[frame].meta = *meta;"),
    dict(name="publish_as_unique", function="fh_slot_publish",
         file="src/slot.h",
         old="	fh_state_store_release(frame, FH_STATE_ONE);",
         new="	fh_state_store_release(frame, FH_STATE_UNIQUE);"),
    dict(name="clear_keeps_type", function="clear_typed",
         file="src/slot.c",
         old="	run_on_drop(frame, type);\n"
             "	fh_slots[frame].type = NULL;\n",
         new="	run_on_drop(frame, type);\n"),
    dict(name="clear_keeps_list", function="clear_typed",
         file="src/slot.c",
         old="	run_on_drop(frame, type);\n"
             "	fh_slots[frame].type = NULL;\n"
             "	fh_list_id_store_relaxed(frame, 0);\n",
         new="	run_on_drop(frame, type);\n"
             "	fh_slots[frame].type = NULL;\n"),
    dict(name="given_back_as_unused", function="give_back",
         file="src/slot.c",
         old="	fh_state_store_release(frame, FH_STATE_FREE);\n"
             "	fh_allocator_give_back(frame, 1);",
         new="	fh_state_store_release(frame, FH_STATE_UNUSED);\n"
             "	fh_allocator_give_back(frame, 1);"),
    dict(name="free_but_not_given_back", function="give_back",
         file="src/slot.c",
         old="	fh_allocator_give_back(frame, 1);", new=""),
    dict(name="given_back_before_free", function="give_back",
         file="src/slot.c",
         old="	fh_state_store_release(frame, FH_STATE_FREE);\n"
             "	fh_allocator_give_back(frame, 1);",
         new="	fh_allocator_give_back(frame, 1);\n"
             "	fh_state_store_release(frame, FH_STATE_FREE);"),
    dict(name="dropped_page_stays_busy", function="drop_any",
         file="src/slot.c",
         old="		fh_slot_set_unused(frame);\n}",
         new="		return;\n}"),
    dict(name="page_dropped_with_its_type", function="fh_slot_drop",
         file="src/slot.c",
         old="	fh_slots[frame].type = NULL;\n"
             "	fh_list_id_store_relaxed(frame, 0);\n"
             "	give_back(frame);",
         new="	fh_list_id_store_relaxed(frame, 0);\n"
             "	give_back(frame);"),
    dict(name="reserved_page_dropped_as_memory", function="fh_slot_drop",
         file="src/slot.c",
         old="	    FH_UNLIKELY(!is_memory(type->usage)) ||\n", new="",
         survives="the contract lets a page become free or unused; which of "
                  "them is right, tests of reserved pages say"),
    dict(name="page_poisoned_in_unchecked_builds", function="give_back",
         file="src/slot.c",
         old="	if (FH_POISON)\n", new=""),
    dict(name="section_live_but_not_zeroed",
         function="fh_section_make_raw_live", file="src/slot.c",
         old="		if (!fh_memory.slots_are_zeroed)\n"
             "			fh_section_zero(section);\n",
         new=""),
    dict(name="section_stays_raw", function="fh_section_make_raw_live",
         file="src/slot.c",
         old="		fh_byte_store_release(state, FH_SECTION_LIVE);",
         new="		fh_byte_store_release(state, FH_SECTION_RAW);"),
    dict(name="section_zeroed_beyond_memory", function="section_end",
         file="src/slot.c",
         old="	if (fh_memory.frame_end - first < FH_SECTION_FRAMES)\n"
             "		return fh_memory.frame_end;\n",
         new=""),
    dict(name="section_zero_misses_the_last", function="fh_section_zero",
         file="src/slot.c",
         old="i < section_end(section);",
         new="i < section_end(section) - 1;"),
]

FRAMES = [
    dict(name="get_stops_too_late", function="fh_page_get",
         file="include/framehold/frame.h",
         old="old < FH_STATE_ONE || old >= FH_STATE_MAX",
         new="old < FH_STATE_ONE || old > FH_STATE_MAX"),
    dict(name="get_stops_too_early", function="fh_page_get",
         file="include/framehold/frame.h",
         old="old < FH_STATE_ONE || old >= FH_STATE_MAX",
         new="old < FH_STATE_ONE || old >= FH_STATE_MAX - 1"),
    dict(name="get_of_unique_page", function="fh_page_get",
         file="include/framehold/frame.h",
         old="old < FH_STATE_ONE || old >= FH_STATE_MAX",
         new="old >= FH_STATE_MAX"),
    dict(name="put_drops_at_two", function="fh_page_put",
         file="include/framehold/frame.h",
         old="old <= FH_STATE_ONE || old > FH_STATE_MAX",
         new="old <= FH_STATE_ONE + 1 || old > FH_STATE_MAX"),
    dict(name="last_put_does_not_drop", function="fh_page_put",
         file="include/framehold/frame.h",
         old="old <= FH_STATE_ONE || old > FH_STATE_MAX",
         new="old < FH_STATE_ONE || old > FH_STATE_MAX"),
    dict(name="put_keeps_the_handle", function="fh_frame_put",
         file="include/framehold/frame.h",
         old="	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_HERE);\n"
             "	f->handle = 0;\n",
         new="	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_HERE);\n"),
    dict(name="put_without_redeeming", function="fh_frame_put",
         file="include/framehold/frame.h",
         old="	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_HERE);\n"
             "	f->handle = 0;\n",
         new="	f->handle = 0;\n"),
    dict(name="put_of_no_frame_puts_page_zero", function="fh_frame_put",
         file="include/framehold/frame.h",
         old="	uint64_t i = fh_frame_number(*f);\n\n"
             "	if (f->handle == 0)\n"
             "		return;\n",
         new="	uint64_t i = fh_frame_number(*f);\n\n"),
    dict(name="get_without_minting", function="fh_frame_get",
         file="include/framehold/frame.h",
         old="	copy.handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_HERE);",
         new="	copy.handle = i;"),
    dict(name="get_without_counting", function="fh_frame_get",
         file="include/framehold/frame.h",
         old="	fh_page_get(i, FH_HERE);\n"
             "	copy.handle",
         new="	copy.handle"),
    dict(name="last_put_without_drop", function="fh_page_put_last",
         file="src/frame.c",
         old="	fh_unit_check_dropped(frame, site);\n"
             "	fh_slot_drop(frame);",
         new="	fh_unit_check_dropped(frame, site);"),
    dict(name="last_put_of_shared_page", function="fh_page_put_last",
         file="src/frame.c",
         old="	if (state != FH_STATE_ONE)\n"
             "		fh_stop(\"put\", frame, state, "
             "\"shared by 1 or more\", site, 0);\n",
         new=""),
    dict(name="claim_with_any_type", function="fh_frame_from_unused",
         file="src/frame.c",
         old="	if (!fh_meta_type_is_valid(type))\n"
             "		return FH_E_INVALID;\n",
         new=""),
    dict(name="claim_never_published", function="fh_frame_from_unused",
         file="src/frame.c",
         old="	fh_slot_publish(i);\n", new=""),
    dict(name="claim_never_written", function="fh_frame_from_unused",
         file="src/frame.c",
         old="	fh_slot_write(i, type, meta);\n", new=""),
    dict(name="claim_minted_raw", function="fh_frame_from_unused",
         file="src/frame.c",
         old="	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);\n"
             "	fh_slot_publish(i);",
         new="	fh_unit_mint_raw(i, 1);\n"
             "	out->handle = i;\n"
             "	fh_slot_publish(i);"),
    dict(name="from_in_use_counts_two", function="fh_frame_from_in_use",
         file="src/frame.c",
         old="		if (fh_state_cas_acquire(i, seen, seen + 1) == seen)",
         new="		if (fh_state_cas_acquire(i, seen, seen + 2) == seen)"),
    dict(name="from_in_use_past_the_maximum", function="fh_frame_from_in_use",
         file="src/frame.c",
         old="		if (seen >= FH_STATE_MAX)\n"
             "			fh_page_get_failed(i, seen, FH_CALLER);\n",
         new=""),
    dict(name="from_in_use_of_busy_page", function="fh_frame_from_in_use",
         file="src/frame.c",
         old="			return not_shared_status(seen);\n"
             "		if (seen >= FH_STATE_MAX)",
         new="			break;\n"
             "		if (seen >= FH_STATE_MAX)"),
    dict(name="busy_page_is_unused", function="not_shared_status",
         file="src/frame.c",
         old="	if (state == FH_STATE_BUSY)\n"
             "		return FH_E_BUSY;\n",
         new=""),
    dict(name="inc_without_unit", function="fh_frame_inc",
         file="src/frame.c",
         old="	fh_unit_mint_raw(i, 1);\n", new=""),
    dict(name="into_raw_ends_the_unit", function="fh_frame_into_raw",
         file="src/frame.c",
         old="	fh_unit_forget(f->handle, 1, FH_UNIT_FRAME, FH_CALLER);",
         new="	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_CALLER);"),
    dict(name="from_raw_counts_again", function="fh_frame_from_raw",
         file="src/frame.c",
         old="	out->handle = fh_unit_restore(i, 1, FH_UNIT_FRAME, FH_CALLER);",
         new="	fh_page_get(i, FH_CALLER);\n"
             "	out->handle = fh_unit_restore(i, 1, FH_UNIT_FRAME, FH_CALLER);"),
    dict(name="from_raw_of_unique_page", function="fh_frame_from_raw",
         file="src/frame.c",
         old="	if (seen < FH_STATE_ONE)\n"
             "		return not_shared_status(seen);\n"
             "	out->handle",
         new="	out->handle"),
    dict(name="any_frame_is_untyped", function="fh_uframe_from_frame",
         file="src/frame.c",
         old="	if (!fh_frame_is_some(*f) || !fh_frame_type(*f)->untyped)",
         new="	if (!fh_frame_is_some(*f))"),
    dict(name="untyped_frame_owned_twice", function="fh_uframe_from_frame",
         file="src/frame.c",
         old="	out->handle = f->handle;\n"
             "	f->handle = 0;\n",
         new="	out->handle = f->handle;\n"),
]

UNIQUES = [
    dict(name="unique_claim_is_shared", function="fh_unique_from_unused",
         file="src/unique.c",
         old="	fh_slot_publish_unique(i);", new="	fh_slot_publish(i);"),
    dict(name="repurpose_keeps_old_words", function="fh_unique_repurpose",
         file="src/unique.c",
         old="	fh_slot_clear(i);\n"
             "	fh_slot_write(i, type, meta);",
         new="	fh_slot_clear(i);"),
    dict(name="repurpose_without_on_drop", function="fh_unique_repurpose",
         file="src/unique.c",
         old="	fh_slot_clear(i);\n"
             "	fh_slot_write(i, type, meta);",
         new="	fh_slot_write(i, type, meta);",
         survives="what on_drop does is not modelled, so that not calling "
                  "it proves nothing wrong; the tests of unique frames count "
                  "the calls"),
    dict(name="repurpose_of_no_frame", function="fh_unique_repurpose",
         file="src/unique.c",
         old="	if (i == 0)\n"
             "		return FH_E_EMPTY;\n"
             "	if (!fh_meta_type_is_valid(type))",
         new="	if (!fh_meta_type_is_valid(type))"),
    dict(name="ended_unique_is_not_busy", function="end_unique",
         file="src/unique.c",
         old="	fh_state_store_relaxed(i, FH_STATE_BUSY);", new=""),
    dict(name="ended_unique_keeps_its_unit", function="end_unique",
         file="src/unique.c",
         old="	fh_unit_redeem(u->handle, 1, FH_UNIT_UNIQUE, site);\n",
         new=""),
    dict(name="reset_to_nothing", function="fh_unique_reset_as_unused",
         file="src/unique.c",
         old="	fh_slot_set_unused(i);", new=""),
    dict(name="shared_unique_keeps_its_handle", function="fh_frame_from_unique",
         file="src/unique.c",
         old="	fh_unit_redeem(u->handle, 1, FH_UNIT_UNIQUE, FH_CALLER);\n"
             "	u->handle = 0;\n",
         new="	fh_unit_redeem(u->handle, 1, FH_UNIT_UNIQUE, FH_CALLER);\n"),
    dict(name="unique_of_two_holders", function="fh_unique_from_frame",
         file="src/unique.c",
         old="	if (fh_state_cas_acquire(i, FH_STATE_ONE, FH_STATE_UNIQUE) !=\n"
             "	    FH_STATE_ONE)",
         new="	if (fh_state_cas_acquire(i, FH_STATE_ONE + 1, "
             "FH_STATE_UNIQUE) !=\n"
             "	    FH_STATE_ONE + 1)"),
    dict(name="unique_of_no_frame", function="fh_unique_from_frame",
         file="src/unique.c",
         old="	if (i == 0)\n"
             "		return FH_E_EMPTY;\n"
             "	/*\n",
         new="	/*\n"),
    dict(name="unique_keeps_frames_unit", function="fh_unique_from_frame",
         file="src/unique.c",
         old="	fh_unit_redeem(f->handle, 1, FH_UNIT_FRAME, FH_CALLER);\n"
             "	f->handle = 0;",
         new="	f->handle = 0;"),
    dict(name="unique_of_page_zero_restored", function="fh_unique_from_raw",
         file="src/unique.c",
         old="	if (i == 0)\n"
             "		return FH_E_OUT_OF_BOUND;\n",
         new=""),
    dict(name="unique_restored_from_shared", function="fh_unique_from_raw",
         file="src/unique.c",
         old="	if (seen != FH_STATE_UNIQUE)\n"
             "		return not_unique_status(seen);\n",
         new=""),
]

SEGMENTS = [
    dict(name="segment_end_not_checked", function="check_range",
         file="src/segment.c",
         old="	if (fh_frame_of_paddr(end) > fh_memory.frame_end)\n"
             "		return FH_E_OUT_OF_BOUND;\n",
         new=""),
    dict(name="empty_segment_claimed", function="check_range",
         file="src/segment.c",
         old="	if (start.bytes >= end.bytes)",
         new="	if (start.bytes > end.bytes)"),
    dict(name="segment_of_frame_keeps_it", function="fh_segment_from_frame",
         file="src/segment.c",
         old="	f->handle = 0;\n"
             "	return make_segment(i, 1, FH_CALLER);",
         new="	return make_segment(i, 1, FH_CALLER);"),
    dict(name="split_at_the_end", function="fh_segment_split",
         file="src/segment.c",
         old="	if (pages == 0 || pages >= s->count)",
         new="	if (pages == 0 || pages > s->count)"),
    dict(name="split_halves_overlap", function="fh_segment_split",
         file="src/segment.c",
         old="	*high = make_segment(first + pages, whole.count - pages, "
             "FH_CALLER);",
         new="	*high = make_segment(first + pages - 1,\n"
             "			     whole.count - pages + 1, FH_CALLER);"),
    dict(name="slice_beyond_the_end", function="fh_segment_slice",
         file="src/segment.c",
         old="	if (begin > end || end > s.count)",
         new="	if (begin > end || begin > s.count)"),
    dict(name="slice_of_other_pages", function="fh_segment_slice",
         file="src/segment.c",
         old="	*out = share_pages(fh_segment_first(s) + begin, end - begin,",
         new="	*out = share_pages(fh_segment_first(s), end - begin,"),
    dict(name="shared_segment_misses_its_last", function="share_pages",
         file="src/segment.c",
         old="	for (uint64_t i = 0; i < count; i++)\n"
             "		fh_page_get(first + i, site);",
         new="	for (uint64_t i = 0; i + 1 < count; i++)\n"
             "		fh_page_get(first + i, site);"),
    dict(name="next_does_not_shorten", function="fh_segment_next",
         file="src/segment.c",
         old="	s->count = s->count - 1;\n", new=""),
    dict(name="next_gives_the_second", function="fh_segment_next",
         file="src/segment.c",
         old="	out->handle = fh_unit_mint(first, 1, FH_UNIT_FRAME, FH_CALLER);",
         new="	out->handle = fh_unit_mint(first + 1, 1, FH_UNIT_FRAME, "
             "FH_CALLER);"),
    dict(name="segment_put_misses_its_last", function="fh_segment_put",
         file="src/segment.c",
         old="		      fh_segment_first(whole) + whole.count, FH_CALLER);",
         new="		      fh_segment_first(whole) + whole.count - 1,\n"
             "		      FH_CALLER);"),
    dict(name="segment_into_raw_is_short", function="fh_segment_into_raw",
         file="src/segment.c",
         old="		.count = whole.count,\n",
         new="		.count = whole.count - (whole.count > 0),\n"),
    dict(name="borrow_beyond_the_end", function="fh_segment_borrow",
         file="src/segment.c",
         old="	if (index >= s.count)",
         new="	if (index > s.count)"),
]

EARLY = [
    dict(name="early_opened_twice", function="fh_early_begin",
         file="src/early.c",
         old="	if (early_map != NULL)\n"
             "		return FH_E_TWICE;\n",
         new=""),
    dict(name="early_opened_with_pages_taken", function="fh_early_begin",
         file="src/early.c",
         old="		map->spans[i].taken = 0;\n",
         new="		map->spans[i].taken = map->spans[i].taken_before;\n"),
    dict(name="early_alignment_of_zero", function="early_align_is_valid",
         file="src/early.c",
         old="	return align == 1;", new="	return align <= 1;"),
    dict(name="early_gives_page_zero", function="pages_to_multiple",
         file="src/early.c",
         old="	if (page == 0)\n"
             "		skip = align;\n",
         new=""),
    dict(name="early_aligns_downward", function="pages_to_multiple",
         file="src/early.c",
         old="	uint64_t skip = over == 0 ? 0 : align - over;",
         new="	uint64_t skip = over;"),
    dict(name="early_gives_reserved_pages", function="span_has_room",
         file="src/early.c",
         old="	return span->kind == FH_REGION_USABLE && skip <= left &&",
         new="	return skip <= left &&"),
    dict(name="early_room_forgets_what_is_skipped", function="span_has_room",
         file="src/early.c",
         old="	       n <= left - skip;", new="	       n <= left;"),
    dict(name="early_gives_pages_twice", function="fh_early_alloc",
         file="src/early.c",
         old="			span->taken += skip + n;\n", new=""),
    dict(name="early_gives_unaligned_pages", function="fh_early_alloc",
         file="src/early.c",
         old="			*first = span->first + span->taken + skip;",
         new="			*first = span->first + span->taken;"),
    dict(name="early_gives_after_it_is_closed", function="fh_early_alloc",
         file="src/early.c",
         old="	if (!early_is_open || n == 0 ||", new="	if (n == 0 ||"),
    dict(name="early_retired_stays_open", function="fh_early_retire",
         file="src/early.c",
         old="void fh_early_retire(void)\n"
             "{\n"
             "	early_is_open = false;",
         new="void fh_early_retire(void)\n"
             "{\n"
             "	early_is_open = true;"),
    dict(name="early_rewound_to_nothing", function="fh_early_rewind",
         file="src/early.c",
         old="		early_map->spans[i].taken = "
             "early_map->spans[i].taken_before;",
         new="		early_map->spans[i].taken = 0;"),
]

BLOCKS = [
    dict(name="part_of_a_range_crosses_a_word", function="bits_in_word",
         file="src/block.c",
         old="	return n < room ? n : room;", new="	return n;"),
    dict(name="set_goes_too_far", function="fh_bits_set", file="src/block.c",
         old="		words[first / FH_WORD_BITS] |=\n"
             "			fh_bit_run(first % FH_WORD_BITS, part);",
         new="		words[first / FH_WORD_BITS] |= UINT64_MAX;"),
    dict(name="clear_takes_all_bits", function="fh_bits_clear",
         file="src/block.c",
         old="			fh_without(words[first / FH_WORD_BITS], run);",
         new="			fh_without(words[first / FH_WORD_BITS], UINT64_MAX);"),
    dict(name="taken_but_left_free", function="fh_block_take_mask",
         file="src/block.c",
         old="	set_word(block, word, bits);\n"
             "	block->free = (uint16_t)(block->free - n);",
         new="	(void)bits;\n"
             "	block->free = (uint16_t)(block->free - n);"),
    dict(name="full_words_beyond_the_end", function="find_full_words",
         file="src/block.c",
         old="	while (first < FH_BLOCK_WORDS - n && !are_full_words",
         new="	while (first < FH_BLOCK_WORDS && !are_full_words",
         survives="the contract asks for words that are full, so that the "
                  "search ends before the last of them either way"),
    dict(name="word_without_its_order", function="set_word",
         file="src/block.c",
         old="	block->word_order[word] = (uint8_t)fh_word_order(bits);\n",
         new=""),
    dict(name="full_block_lacks_a_page", function="fh_block_fill",
         file="src/block.c",
         old="	block->free = (uint16_t)FH_BLOCK_PAGES;",
         new="	block->free = (uint16_t)(FH_BLOCK_PAGES - 1);"),
    dict(name="cleared_block_has_pages", function="fh_block_clear",
         file="src/block.c",
         old="	block->free = 0;\n", new=""),
    dict(name="given_but_not_counted", function="fh_block_give_mask",
         file="src/block.c",
         old="	block->free = (uint16_t)(block->free + n);\n", new=""),
    dict(name="taken_counted_as_given", function="fh_block_take_mask",
         file="src/block.c",
         old="	block->free = (uint16_t)(block->free - n);",
         new="	block->free = (uint16_t)(block->free + n);"),
    dict(name="best_word_is_too_small", function="fh_block_best_word",
         file="src/block.c",
         old="		if (here >= order && here < best_order) {",
         new="		if (here < best_order) {"),
    dict(name="found_run_of_another_order", function="fh_block_find",
         file="src/block.c",
         old="fh_first_run(block->bits[word], order - 1);",
         new="fh_first_run(block->bits[word], 0);"),
]

REQUESTS = [
    dict(name="alignment_of_zero_is_a_power", function="is_power_of_two",
         file="src/alloc.c",
         old="		n /= 2;\n	return n == 1;",
         new="		n /= 2;\n	return n <= 1;"),
    dict(name="request_of_nothing_first", function="check_request",
         file="src/alloc.c",
         old="	if (!fh_meta_type_is_valid(type))\n"
             "		return FH_E_INVALID;\n"
             "	if (options->align",
         new="	if (n == 0)\n"
             "		return FH_E_EMPTY;\n"
             "	if (!fh_meta_type_is_valid(type))\n"
             "		return FH_E_INVALID;\n"
             "	if (options->align"),
    dict(name="taken_range_wraps", function="check_covered",
         file="src/alloc.c",
         old="	if (first >= fh_memory.frame_end || "
             "n > fh_memory.frame_end - first)",
         new="	if (first + n > fh_memory.frame_end)"),
    dict(name="taken_range_has_a_hole", function="check_covered",
         file="src/alloc.c",
         old="		if (fh_get_slot(fh_paddr_of_frame(i), &frame) != FH_OK ||\n"
             "		    !fh_allocator_covers(i))\n",
         new="		(void)frame;\n"
             "		if (!fh_allocator_covers(i))\n"),
]

ZONES = [
    dict(name="free_page_is_given_again", function="fh_zone_give",
         file="src/zones.c",
         old="	if (twice == FH_NO_PAGE)\n		give_used(zone, first, n);",
         new="	give_used(zone, first, n);"),
    dict(name="only_the_first_block_is_looked_at", function="first_free",
         file="src/zones.c",
         old="		if (in_use < part)\n			return first + in_use;",
         new="		return in_use < part ? first + in_use : FH_NO_PAGE;"),
    dict(name="zone_without_the_page", function="fh_layout_zone_index",
         file="src/layout.h",
         old="	if (zone == FH_NO_ZONE || !fh_zone_has(&fh_zones[zone], page))",
         new="	if (zone == FH_NO_ZONE)"),
    dict(name="run_of_too_many_blocks", function="largest_run",
         file="src/buddy.c",
         old="	while (order < FH_ORDER_LAST && run_blocks(order + 1) <= n &&",
         new="	while (order < FH_ORDER_LAST && run_blocks(order) <= n &&"),
    dict(name="buddy_behind_the_end", function="buddy_of",
         file="src/buddy.c",
         old="	return zone->count - block >= 2 * size ? ",
         new="	return zone->count - block > size ? "),
]

CHAINS = [
    dict(name="next_block_keeps_its_previous", function="unlink_block",
         file="src/buddy.c",
         old="		zone->blocks[b->next].previous = b->previous;\n",
         new="		;\n"),
    dict(name="head_of_another_chain_moves_on", function="unlink_block",
         file="src/buddy.c",
         old="		zone->heads[b->order] = b->next;",
         new="		zone->heads[1] = b->next;"),
    dict(name="chain_counts_as_empty", function="unchain",
         file="src/buddy.c",
         old="	if (zone->heads[b->order] == FH_NO_BLOCK)\n"
             "		set_filled",
         new="	if (zone->heads[b->order] != FH_NO_BLOCK)\n"
             "		set_filled"),
    dict(name="old_head_has_no_previous", function="link_block",
         file="src/buddy.c",
         old="	if (b->next != FH_NO_BLOCK)\n"
             "		zone->blocks[b->next].previous = (uint32_t)block;\n",
         new=""),
    dict(name="another_chain_counts_as_filled", function="chain",
         file="src/buddy.c",
         old="	uint64_t filled = zone->filled | fh_bit_run(order, 1);",
         new="	uint64_t filled = zone->filled | fh_bit_run(order - 1, 1);"),
    dict(name="block_stays_in_its_old_chain", function="fh_chain_move",
         file="src/buddy.c",
         old="	if (zone->blocks[block].order != 0)\n		unchain",
         new="	if (zone->blocks[block].order > 1)\n		unchain"),
    dict(name="block_of_order_zero_in_a_chain", function="fh_chain_move",
         file="src/buddy.c",
         old="	set_order(zone, block, order);\n",
         new="	set_order(zone, block, order / 2);\n"),
]

RUNS = [
    dict(name="lower_half_stays_free", function="split_run",
         file="src/buddy.c",
         old="		place_run(zone, block + half, found);",
         new="		place_run(zone, block, found);"),
    dict(name="taken_run_stays_in_its_chain", function="fh_runs_take",
         file="src/buddy.c",
         old="	fh_chain_move(zone, block, 0);\n	split_run",
         new="	split_run"),
    dict(name="whole_run_is_untouched", function="fh_runs_take",
         file="src/buddy.c",
         old="	untouch(zone, block, run_blocks(order));",
         new="	untouch(zone, block, run_blocks(found));"),
    dict(name="merged_with_a_larger_run", function="give_run",
         file="src/buddy.c",
         old="zone->blocks[buddy].order != order)",
         new="zone->blocks[buddy].order < order)"),
    dict(name="merged_buddy_stays_in_its_chain", function="give_run",
         file="src/buddy.c",
         old="		fh_chain_move(zone, buddy, 0);\n", new=""),
    dict(name="given_blocks_overlap", function="give_runs",
         file="src/buddy.c",
         old="		block += run_blocks(order);\n"
             "		n -= run_blocks(order);",
         new="		block++;\n		n--;"),
    dict(name="last_block_given_is_not_touched", function="fh_runs_give",
         file="src/buddy.c",
         old="	touch(zone, block, n);",
         new="	touch(zone, block, n - (n > 0));"),
]

TAKING = [
    dict(name="more_pages_than_wanted_of_a_word", function="take_word",
         file="src/zones.c",
         old="	if (count > want) {", new="	if (count > want + 1) {"),
    dict(name="partly_taken_word_counts_as_whole", function="take_word",
         file="src/zones.c",
         old="		bits = lowest_ones(bits, want);\n		count = want;",
         new="		count = want;"),
    dict(name="full_word_counts_as_half", function="take_word",
         file="src/zones.c",
         old="	uint64_t count = full ? FH_WORD_BITS :",
         new="	uint64_t count = full ? FH_WORD_BITS / 2 :"),
    dict(name="base_of_the_block_for_the_word", function="take_word",
         file="src/zones.c",
         old="	taken->base = first_page + word * FH_WORD_BITS;",
         new="	taken->base = first_page + word;"),
    dict(name="larger_run_than_wanted", function="fh_zone_take_run",
         file="src/zones.c",
         old="	       (UINT64_C(2) << (order - FH_ORDER_BLOCK)) <= want) {",
         new="	       (UINT64_C(1) << (order - FH_ORDER_BLOCK)) <= want) {"),
    dict(name="larger_run_than_there_is", function="fh_zone_take_run",
         file="src/zones.c",
         old="	while (order < best &&", new="	while (order < FH_ORDER_LAST &&"),
    dict(name="run_counts_as_blocks", function="fh_zone_take_run",
         file="src/zones.c",
         old="	fh_zone_sub_free(zone, *size * FH_BLOCK_PAGES);",
         new="	fh_zone_sub_free(zone, *size);"),
]

MAGAZINES = [
    dict(name="oldest_page_is_popped", function="fh_magazine_pop",
         file="src/magazine.h",
         old="	return m->pages[n - 1];", new="	return m->pages[0];"),
    dict(name="page_beyond_the_room", function="fh_magazine_push",
         file="src/magazine.h",
         old="	if (FH_UNLIKELY(n >= fh_word_load_relaxed(&m->page_room)))",
         new="	if (FH_UNLIKELY(n > fh_word_load_relaxed(&m->page_room)))"),
    dict(name="batch_of_none", function="batch_of",
         file="src/magazine.c",
         old="	return room < 5 ? 1 : room * 2 / 5;",
         new="	return room * 2 / 5;"),
    dict(name="flushed_pages_stay_counted", function="flush_pages",
         file="src/magazine.c",
         old="	fh_word_store_relaxed(&m->page_count, count - n);",
         new="	fh_word_store_relaxed(&m->page_count, count);"),
    dict(name="more_is_flushed_than_there_is", function="make_room",
         file="src/magazine.c",
         old="		flush_pages(m, n < count ? n : count);",
         new="		flush_pages(m, n);"),
    dict(name="removed_page_is_not_replaced", function="remove_page",
         file="src/magazine.c",
         old="	m->pages[i] = m->pages[last];\n", new=""),
    dict(name="block_is_sought_by_its_page", function="withdraw_from",
         file="src/magazine.c",
         old="	i = find_number(m->blocks, blocks, page / FH_BLOCK_PAGES);",
         new="	i = find_number(m->blocks, blocks, page);"),
    dict(name="last_number_is_not_found", function="find_number",
         file="src/magazine.c",
         old="	while (i < n && numbers[i] != wanted)",
         new="	while (i + 1 < n && numbers[i] != wanted)"),
    dict(name="block_into_no_room", function="push_block",
         file="src/magazine.c",
         old="	if (room == 0)\n		return false;\n", new=""),
]

CLAIMS = [
    dict(name="page_taken_that_nobody_had", function="take_page",
         file="src/alloc.c",
         old="	if (seen == FH_STATE_UNUSED)\n		return FH_E_UNUSED;\n",
         new=""),
    dict(name="refused_take_leaves_pages_unused", function="take_pages",
         file="src/alloc.c",
         old="			unclaim_taken(first, i - first, FH_STATE_FREE);",
         new="			unclaim_taken(first, i - first, "
             "FH_STATE_UNUSED);"),
    dict(name="taken_pages_are_free_again", function="fh_alloc_take",
         file="src/alloc.c",
         old="		unclaim_taken(first, n, FH_STATE_UNUSED);",
         new="		unclaim_taken(first, n, FH_STATE_FREE);"),
    dict(name="refused_add_keeps_pages", function="fh_alloc_add",
         file="src/alloc.c",
         old="			unclaim_taken(first, i - first, "
             "FH_STATE_UNUSED);\n",
         new=""),
    dict(name="free_page_is_added", function="claim_unused",
         file="src/alloc.c",
         old="		fh_state_cas_acquire(frame, FH_STATE_UNUSED, "
             "FH_STATE_BUSY);",
         new="		fh_state_cas_acquire(frame, FH_STATE_FREE, "
             "FH_STATE_BUSY);"),
    dict(name="retired_pages_are_nobodys", function="fh_alloc_retire",
         file="src/alloc.c",
         old="	fh_unit_mint_raw(first, n);\n", new=""),
    dict(name="free_page_is_not_given_back", function="unclaim_taken",
         file="src/alloc.c",
         old="		if (state == FH_STATE_FREE)\n"
             "			fh_allocator_give_back",
         new="		if (state != FH_STATE_FREE)\n"
             "			fh_allocator_give_back"),
]

CURSORS = [
    dict(name="piece_crosses_a_page", function="io_piece",
         file="src/io.c",
         old="	uint64_t left = FH_PAGE_SIZE - pa % FH_PAGE_SIZE;",
         new="	uint64_t left = FH_PAGE_SIZE;"),
    dict(name="lesser_is_greater", function="io_min", file="src/io.c",
         old="	return a < b ? a : b;", new="	return a < b ? b : a;"),
    dict(name="limit_grows", function="fh_reader_limit", file="src/io.c",
         old="	reader->end = reader->at + io_min(fh_reader_remain(reader), max);",
         new="	reader->end = reader->at + max;"),
    dict(name="skip_past_the_end", function="fh_reader_skip",
         file="src/io.c",
         old="	if (n > fh_reader_remain(reader))\n"
             "		return FH_E_INVALID;\n"
             "	reader->at += n;",
         new="	reader->at += n;"),
    dict(name="skip_refuses_the_end", function="fh_writer_skip",
         file="src/io.c",
         old="	if (n > fh_writer_avail(writer))\n"
             "		return FH_E_INVALID;\n"
             "	writer->at += n;",
         new="	if (n >= fh_writer_avail(writer))\n"
             "		return FH_E_INVALID;\n"
             "	writer->at += n;"),
    dict(name="once_without_room", function="check_once", file="src/io.c",
         old="	if (n > end - at)\n		return FH_E_INVALID;\n", new=""),
    dict(name="once_at_any_address", function="check_once", file="src/io.c",
         old="	return at % n == 0 ? FH_OK : FH_E_NOT_ALIGNED;",
         new="	return FH_OK;"),
    dict(name="extent_by_addition", function="check_extent",
         file="src/io.c",
         old="	if (n > UINT64_MAX - offset)\n"
             "		return FH_E_OVERFLOW;\n"
             "	return offset <= size && n <= size - offset ? FH_OK",
         new="	return offset + n <= size ? FH_OK"),
    dict(name="part_begins_at_the_start", function="fh_reader_at",
         file="src/io.c",
         old="	out->at = whole.at + offset;\n"
             "	out->end = whole.at + offset + n;\n"
             "	return FH_OK;\n"
             "}\n"
             "\n"
             "enum fh_status fh_writer_at",
         new="	out->at = whole.at;\n"
             "	out->end = whole.at + offset + n;\n"
             "	return FH_OK;\n"
             "}\n"
             "\n"
             "enum fh_status fh_writer_at"),
]

TABLES = [
    dict(name="entry_reaches_one_page_too_far", function="fh_pages_in_entry",
         file="src/span.h",
         old="return n < left ? n : left;",
         new="return n <= left ? n : left + 1;"),
    dict(name="index_in_511_entries", function="fh_entry_index",
         file="src/span.h",
         old="page / fh_level_pages(level) % FH_NODE_ENTRIES",
         new="page / fh_level_pages(level) % 511"),
    dict(name="parts_begin_one_too_far", function="fh_part_of_leaf",
         file="src/span.h",
         old="frame + i * stride;",
         new="frame + (i + 1) * stride;"),
    dict(name="range_of_a_table_wraps", function="fh_page_table_covers",
         file="include/framehold/pagetable.h",
         old="       n <= table->range.count - (first - table->range.first);",
         new="       first - table->range.first + n <= table->range.count;"),
    dict(name="kernels_half_ends_early", function="fh_page_table_range",
         file="src/pagetable.c",
         old="range.first = FH_PAGE_NUMBER_END - half;",
         new="range.first = FH_PAGE_NUMBER_END - half - 1;"),
    dict(name="children_move_other_facts", function="fh_node_add_children",
         file="src/node.h",
         old="FH_NODE_FACTS) += n * FH_NODE_CHILD;",
         new="FH_NODE_FACTS) += n * FH_NODE_STRAY;"),
    dict(name="stray_node_is_set_twice", function="fh_node_set_stray",
         file="src/node.h",
         old="	if (!fh_node_is_stray(node))\n		*fh",
         new="	if (node > 0)\n		*fh"),
    dict(name="filled_entry_is_no_child", function="fh_node_fill",
         file="src/node.h",
         old="	fh_node_add_children(node, 1);\n}",
         new="}"),
    dict(name="cleared_entry_stays_a_child", function="fh_node_clear",
         file="src/node.h",
         old="	fh_node_sub_children(node, 1);\n	return pte;",
         new="	return pte;"),
    dict(name="large_leaf_is_one_page_short", function="fh_leaf_fits",
         file="src/span.h",
         old="n >= fh_level_pages(level));",
         new="n + 1 >= fh_level_pages(level));"),
    dict(name="leaf_above_what_the_machine_has", function="highest_leaf",
         file="src/mapping.c",
         old="top < table->huge_level",
         new="top <= table->huge_level"),
    dict(name="joined_range_ends_with_the_first", function="join_ranges",
         file="src/flush.c",
         old="(a_end > b_end ? a_end : b_end) - page",
         new="a_end - page"),
    dict(name="taken_range_is_still_counted", function="take_range",
         file="src/flush.c",
         old="	flush->pages -= taken.n;\n",
         new=""),
    dict(name="flush_beyond_its_limit", function="fh_flush_add",
         file="src/flush.c",
         old="range.n > FH_FLUSH_LIMIT - flush->pages",
         new="range.n > FH_FLUSH_LIMIT"),
    dict(name="table_that_is_a_leaf", function="fh_x86_64_table",
         file="arch/x86_64/fh_x86_64.h",
         old="FH_X86_64_US + FH_X86_64_A);",
         new="FH_X86_64_US + FH_X86_64_LEAF);"),
    dict(name="cursor_jumps_behind_its_range", function="fh_cursor_jump",
         file="src/cursor.c",
         old="page > cursor->end)",
         new="page - 1 > cursor->end)"),
    dict(name="path_is_kept_too_far_down", function="fh_cursor_rise",
         file="src/cursor.h",
         old="fh_pages_part(c->at, page, c->level + 1U))",
         new="fh_pages_part(c->at, page, c->level + 0U))"),
    dict(name="leaf_begins_where_it_was_asked", function="fh_describe",
         file="src/cursor.h",
         old="mapping->first = page - fh_page_in_entry(page, level);",
         new="mapping->first = page;"),
    dict(name="root_gives_up_the_other_half", function="own_entries",
         file="src/node.c",
         old="	if (type == &fh_kernel_node_type)\n",
         new="	if (type == &fh_user_node_type)\n"),
]

BYTES = [
    dict(name="byte_of_the_next_page", function="io_byte",
         file="src/io.c",
         old="fh_page_bytes(pa / FH_PAGE_SIZE);\n\n	return page + pa",
         new="fh_page_bytes((pa + 1) / FH_PAGE_SIZE);\n\n	return page + pa"),
    dict(name="copy_begins_again_with_each_page", function="copy_between",
         file="src/io.c",
         old="io_byte(to + done), io_byte(from + done),\n",
         new="io_byte(to + done), io_byte(from),\n"),
    dict(name="buffer_is_filled_from_its_begin", function="copy_out",
         file="src/io.c",
         old="__builtin_memcpy(to + done, io_byte",
         new="__builtin_memcpy(to, io_byte"),
    dict(name="zeros_stop_a_byte_early", function="fill_with_zeros",
         file="src/io.c",
         old="__builtin_memset(io_byte(to + done), 0, piece)",
         new="__builtin_memset(io_byte(to + done), 0, piece - 1)"),
    dict(name="writer_stays_behind", function="fh_reader_read",
         file="src/io.c",
         old="	reader->at += n;\n	writer->at += n;\n	return n;",
         new="	reader->at += n;\n	return n;"),
    dict(name="half_a_value_is_read", function="fh_reader_read_val",
         file="src/io.c",
         old="	if (n > fh_reader_remain(reader))\n		return FH_E_INVALID;\n"
             "	(void)fh_reader_read_bytes",
         new="	(void)fh_reader_read_bytes"),
    dict(name="half_a_word_is_written", function="fh_writer_write_once32",
         file="src/io.c",
         old="fh_memory_store32(io_byte(writer->at), value);",
         new="fh_memory_store16(io_byte(writer->at), (uint16_t)(value % 65536));"),
    dict(name="exchange_looks_at_the_readers_end_only",
         function="fh_writer_atomic_cas32", file="src/io.c",
         old="io_min(writer->end, reader->end)",
         new="reader->end"),
    dict(name="zeros_from_the_begin", function="fh_io_fill_zeros",
         file="src/io.c",
         old="fh_writer_skip(&whole, offset)",
         new="fh_writer_skip(&whole, 0)"),
]

ALLOCATION = [
    dict(name="limit_is_no_matter_to_a_magazine", function="any_page_will_do",
         file="src/alloc.c",
         old="	       options->align <= 1 && options->below == 0 && type != NULL &&",
         new="	       options->align <= 1 && type != NULL &&"),
    dict(name="request_is_not_checked", function="pop_pages",
         file="src/alloc.c",
         old="	if (status != FH_OK)\n"
             "		return status;\n"
             "	status = fh_allocator_pop(",
         new="	status = fh_allocator_pop("),
    dict(name="corrupt_page_is_not_found", function="claim_popped",
         file="src/alloc.c",
         old="	for (uint64_t i = claimed + 1; i < n; i++) {",
         new="	for (uint64_t i = claimed + 2; i < n; i++) {"),
    dict(name="corrupt_page_goes_back", function="return_popped_page",
         file="src/alloc.c",
         old="	if (claim_popped_page(frame))",
         new="	if (!claim_popped_page(frame))"),
    dict(name="popped_page_is_not_claimed", function="claim_popped_page",
         file="src/alloc.c",
         old="	return fh_state_cas_acquire(frame, FH_STATE_FREE, "
             "FH_STATE_BUSY) ==",
         new="	return fh_state_cas_acquire(frame, FH_STATE_FREE, "
             "FH_STATE_FREE) =="),
    dict(name="allocated_frame_is_unique", function="alloc_frame",
         file="src/alloc.c",
         old="	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, site);\n"
             "	fh_slot_publish(i);",
         new="	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, site);\n"
             "	fh_slot_publish_unique(i);"),
    dict(name="allocated_unique_is_shared", function="fh_unique_alloc",
         file="src/alloc.c",
         old="	fh_slot_publish_unique(i);", new="	fh_slot_publish(i);"),
    dict(name="segment_owns_its_first_page", function="fh_segment_alloc",
         file="src/alloc.c",
         old="	out->handle = fh_unit_mint(first, n, FH_UNIT_SEGMENT, "
             "FH_CALLER);",
         new="	out->handle = fh_unit_mint(first, 1, FH_UNIT_SEGMENT, "
             "FH_CALLER);"),
    dict(name="fast_path_keeps_old_words", function="fh_frame_alloc",
         file="src/alloc.c",
         old="	fh_slot_write(i, type, meta);\n"
             "	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);",
         new="	fh_slot_write(i, type, NULL);\n"
             "	out->handle = fh_unit_mint(i, 1, FH_UNIT_FRAME, FH_CALLER);"),
    dict(name="entered_magazine_is_not_busy", function="fh_magazine_set_busy",
         file="src/magazine.h",
         old="	fh_word_store_relaxed(&m->busy, 1);",
         new="	fh_word_store_relaxed(&m->busy, 0);"),
]

SUPPLY = [
    dict(name="turn_beyond_the_zones", function="zone_in_turn",
         file="src/supply.c",
         old="	uint64_t step = turn % zones;",
         new="	uint64_t step = turn;"),
    dict(name="reserve_wraps", function="available",
         file="src/supply.c",
         old="	return free > zone->reserve ? free - zone->reserve : 0;",
         new="	return free - zone->reserve;"),
    dict(name="foreign_page_is_given", function="zone_of_given",
         file="src/supply.c",
         old="	if (FH_UNLIKELY(zone == FH_NO_ZONE))",
         new="	if (FH_UNLIKELY(zone > FH_NO_ZONE))"),
    dict(name="row_goes_on_in_the_next_word", function="count_row",
         file="src/supply.c",
         old="	n = n < room ? n : room;\n", new="	(void)room;\n"),
    dict(name="row_ascends_with_gaps", function="count_row",
         file="src/supply.c",
         old="pages[count] == pages[0] + count)", new="pages[count] > pages[0])"),
    dict(name="ends_of_zones_miss_the_first", function="count_by_zone",
         file="src/supply.c",
         old="	for (uint64_t zone = 1; zone < zones; zone++) {",
         new="	for (uint64_t zone = 2; zone < zones; zone++) {"),
    dict(name="first_page_speaks_for_all", function="are_of_zone",
         file="src/supply.c",
         old="		if (!fh_zone_has(zone, pages[i]))",
         new="		if (!fh_zone_has(zone, pages[0]))"),
]

MUTATIONS = [*ARITHMETIC, *SLOTS, *FRAMES, *UNIQUES, *SEGMENTS, *EARLY,
             *BLOCKS, *REQUESTS, *ZONES, *CHAINS, *RUNS, *TAKING, *MAGAZINES,
             *CLAIMS, *CURSORS, *TABLES, *BYTES, *ALLOCATION,
             *SUPPLY]
