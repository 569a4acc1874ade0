# SPDX-License-Identifier: MPL-2.0
"""Bugs that tools/kernel_bugs.py seeds, and which oracle has to notice each.

A name, a file, a piece of its text that occurs exactly once ("old"), what takes
its place ("new"), and who has to notice ("by"); others may, too, unless only
the outside can ("outside_only"). "arch", "cpus", "cpu" and "memory" say where it
boots; "few" are those of every test.
"""

CODEC = "arch/x86_64/fh_x86_64.h"

NOT_ASKED = dict(
    by="shootdown", file="src/flush.c",
    old="		if (cpu != self)\n			ask_cpu(cpu, flush, asid);",
    new="		if (cpu == FH_MAX_CPUS)\n"
        "			ask_cpu(cpu, flush, asid);")
OTHER_COPY = dict(
    by="program", file="src/fault.c",
    old="				 fh_host_linear(fh_frame_paddr(fault->source)),\n",
    new="				 fh_host_linear(fh_paddr_of_frame(\n"
        "					 fh_frame_number(fault->source) ^ 1)),\n")

FLUSHES = [
    dict(name="others_are_not_asked_to_forget", few=True, **NOT_ASKED),
    dict(name="nothing_is_forgotten_here", few=True, by="shootdown",
         file="src/flush.c",
         old="	if (fh_cpu_set_has(cpus, self))\n"
             "		fh_flush_local(flush, asid);",
         new=""),
    dict(name="others_say_that_they_forgot_and_have_not", by="shootdown",
         file="src/flush.c",
         old="	do_work(&work);\n	/*\n	 * Release: what we did",
         new="	/*\n	 * Release: what we did"),
    dict(name="pages_are_given_back_before_they_are_forgotten", by="order",
         few=True, file="src/gather.c",
         old="	flush_gathered(gather);\n	give_runs_up(gather);",
         new="	give_runs_up(gather);\n	flush_gathered(gather);"),
    dict(name="kernel_pages_are_not_forgotten", by="probe",
         file="src/gather.c",
         old="	fh_flush_all_of(&gather->flush, FH_ASID_KERNEL, &cpus);",
         new=""),
]

TABLES = [
    dict(name="an_area_is_a_frame_off", few=True, by="probe", file="src/mapping.c",
         old="fh_pte_leaf(device, frame, 1, full)",
         new="fh_pte_leaf(device, frame + (full.flags / FH_PAGE_GLOBAL & 1),\n"
             "				   1, full)"),
    dict(name="a_piece_of_the_linear_map_is_a_frame_off", by="trap",
         file="kernel/tables.c",
         old="fh_paddr_of_frame(intent->frame),",
         new="fh_paddr_of_frame(intent->frame ^ (intent->n == 8)),"),
    dict(name="large_leaves_are_misaligned", few=True, by="probe",
         file="src/span.h",
         old="		fh_page_in_entry(frame, level) == 0 &&\n",
         new=""),
    dict(name="no_memory_is_mapped_as_ram", few=True, by="probe",
         file="kernel/tables.c",
         old="		if (!fh_region_is_physical(span->kind))\n"
             "			continue;\n		uint64_t a",
         new="		uint64_t a"),
    dict(name="reserved_memory_counts_as_ram", by="bring-up",
         file="src/region.c",
         old=" kind != FH_REGION_RESERVED &&\n", new="\n"),
    dict(name="overlaps_of_the_firmwares_map_are_lost", by="outside: map",
         file="src/region.c",
         old="		uint64_t end = clip(&regions[s.next]).end;\n",
         new="		uint64_t end = clip(&regions[s.next]).end;\n"
             "		for (unsigned k = 0; k < FH_REGION_KINDS; k++)\n"
             "			s.reach[k] = 0;\n"),
    dict(name="a_cpu_stays_on_the_boot_tables", by="probe",
         file="kernel/main.c",
         old="	fh_cpu_online(cpu);\n	tables_enter();",
         new="	fh_cpu_online(cpu);"),
    dict(name="guard_pages_are_mapped", by="probe", file="kernel/tables.c",
         old="		page = guard + 1;", new="		page = guard;"),
]

NX = "		(FH_X86_64_NX - fh_pte_put(prop, FH_PAGE_EXEC, FH_X86_64_NX)) +\n"
US = "		       fh_pte_put(prop, FH_PAGE_USER, FH_X86_64_US) +\n"

PERMISSIONS = [
    dict(name="everything_can_be_run", by="program", file=CODEC, old=NX,
         new=""),
    dict(name="kernel_data_can_be_run", by="outside: walk_is_as_meant",
         file=CODEC, old=NX,
         new="		((prop.flags & (FH_PAGE_USER | FH_PAGE_EXEC)) ==\n"
             "				 FH_PAGE_USER ?\n"
             "			 FH_X86_64_NX :\n"
             "			 0) +\n"),
    dict(name="constants_can_be_run", by="outside: image_is_as_linked",
         outside_only=True, few=True, file=CODEC, old=NX,
         new="		((prop.flags & FH_PAGE_EXEC) == 0 &&\n"
             "				 (prop.flags & (FH_PAGE_USER |\n"
             "						FH_PAGE_WRITE)) != 0 ?\n"
             "			 FH_X86_64_NX :\n"
             "			 0) +\n"),
    dict(name="kernel_pages_are_the_users", few=True, by="program", cpu="qemu64",
         file=CODEC, old=US, new="		       FH_X86_64_US +\n"),
    dict(name="large_kernel_pages_are_the_users", cpu="qemu64",
         by="outside: list_is_as_meant", file=CODEC, old=US,
         new="		       ((prop.flags & FH_PAGE_USER) != 0 || level > 1 ?\n"
             "				FH_X86_64_US :\n"
             "				0) +\n"),
    dict(name="text_can_be_written", by="probe", file=CODEC,
         old="fh_pte_put(prop, FH_PAGE_WRITE, FH_X86_64_RW)",
         new="fh_pte_put(prop, FH_PAGE_WRITE | FH_PAGE_EXEC, FH_X86_64_RW)"),
    dict(name="text_can_be_written_by_the_linear_map", by="probe", few=True,
         file="kernel/tables.c",
         old="		note_linear_part(a, b, RODATA_FLAGS);",
         new="		note_linear_part(a, b, DATA_FLAGS);"),
    dict(name="device_registers_are_cached", outside_only=True,
         by="outside: walk_is_as_meant", file=CODEC,
         old="	uint64_t low = (uint64_t)prop.cache * FH_X86_64_CACHE_UNIT +\n",
         new="	uint64_t low =\n"),
    dict(name="one_cpu_may_run_users_memory_in_the_kernel",
         by="outside: hardware_heeds_the_tables", outside_only=True,
         file="port/x86_64/cpus.c",
         old="	if ((features & HAS_SMEP) != 0)\n",
         new="	if ((features & HAS_SMEP) != 0 && cpu != 1)\n"),
    dict(name="one_cpu_may_reach_users_memory_by_mistake", by="guard",
         file="port/x86_64/cpus.c",
         old="	if ((features & HAS_SMAP) != 0)\n",
         new="	if ((features & HAS_SMAP) != 0 && cpu != 1)\n"),
    dict(name="nothing_is_global", by="outside: list_is_as_meant",
         outside_only=True, file=CODEC,
         old="		FH_X86_64_LEAF + fh_pte_put(prop, FH_PAGE_GLOBAL, "
             "FH_X86_64_G);",
         new="		FH_X86_64_LEAF;"),
]

COUNTS = [
    dict(name="a_copied_page_keeps_a_reference", by="free count", few=True,
         file="src/fault.c",
         old="	fh_frame_put(&fault.source);\n	fh_uframe_put",
         new="	fh_uframe_put"),
    dict(name="a_page_unmapped_keeps_a_reference", by="free count",
         file="src/gather.c",
         old="	for (uint64_t i = first; i - first < n; i++)\n"
             "		fh_page_put(i, FH_HERE);",
         new="	for (uint64_t i = first; i - first < n; i++)\n"
             "		if (n < 3 || i != first)\n"
             "			fh_page_put(i, FH_HERE);"),
    dict(name="boot_tables_are_not_given_back", cpu="qemu64", memory="8G",
         by="outside: every_page_is_accounted_for", outside_only=True,
         file="src/boottable.c",
         old="	if (last)\n		boot_free_all(table);",
         new="	(void)boot_free_all;\n	(void)last;"),
    dict(name="a_shared_page_has_a_reference_too_few", by="ledger",
         file="src/copy.c",
         old="		for (uint64_t i = 0; i < mapping->pages; i++)\n"
             "			fh_page_get(leaf.frame + i, FH_HERE);\n",
         new="		for (uint64_t i = 1; i < mapping->pages; i++)\n"
             "			fh_page_get(leaf.frame + i, FH_HERE);\n"),
    dict(name="a_copy_is_of_another_page", **OTHER_COPY),
    dict(name="a_page_written_first_is_not_copied", by="program",
         file="src/copy.c",
         old="		if (on_write && make_copy_on_write(from, &leaf))\n",
         new="		if (leaf.page % 2 && make_copy_on_write(from, &leaf))\n"),
]

OTHERS = [
    # No missing flush on RISC-V: the emulated TLB forgets everything whenever
    # SUM changes or firmware is called, so that nothing stale is seen.
    dict(name="riscv64_a_copy_is_of_another_page", arch="riscv64",
         **OTHER_COPY),
    dict(name="riscv64_nothing_is_global", arch="riscv64",
         by="outside: list_is_as_meant", outside_only=True,
         file="arch/riscv64/fh_riscv64.h",
         old="	       fh_pte_put(prop, FH_PAGE_GLOBAL, FH_RISCV64_G) |\n",
         new=""),
    dict(name="riscv64_constants_can_be_run", arch="riscv64",
         by="outside: list_is_as_meant", outside_only=True,
         file="arch/riscv64/fh_riscv64.h",
         old="			  fh_pte_put(prop, FH_PAGE_EXEC, FH_RISCV64_X);\n",
         new="			  (prop.flags & (FH_PAGE_USER | FH_PAGE_WRITE) ?\n"
             "			   fh_pte_put(prop, FH_PAGE_EXEC, FH_RISCV64_X) :\n"
             "			   FH_RISCV64_X);\n"),
    # Pages that go are broken before made by instructions that reach all CPUs:
    # what is left to be asked of others is when pages may be given back.
    dict(name="aarch64_others_are_not_asked_to_forget", arch="aarch64",
         **dict(NOT_ASKED, by="order")),
    dict(name="aarch64_nothing_is_forgotten_here", arch="aarch64",
         by="program", file="port/aarch64/mmu.c",
         old="	flush_begin();\n	for (uint64_t i = 0; i < n; i++) {",
         new="	flush_begin();\n	for (uint64_t i = n; i < n; i++) {"),
    dict(name="aarch64_kernel_data_can_be_run", arch="aarch64",
         by="outside: walk_is_as_meant",
         file="arch/aarch64/fh_aarch64.h",
         old="		return FH_AARCH64_PXN | FH_AARCH64_UXN;",
         new="		return (user ? FH_AARCH64_PXN : 0) | FH_AARCH64_UXN;"),
    dict(name="aarch64_users_can_run_the_kernels_text", arch="aarch64",
         by="outside: walk_is_as_meant", outside_only=True,
         file="arch/aarch64/fh_aarch64.h",
         old="	return user ? FH_AARCH64_PXN : FH_AARCH64_UXN;",
         new="	return user ? FH_AARCH64_PXN : 0;"),
]

MUTATIONS = FLUSHES + TABLES + PERMISSIONS + COUNTS + OTHERS
