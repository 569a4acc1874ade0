#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs the demo of the build directory given, in the ways that people will.
#
#     test/demo_check.sh build/gcc-checked
#
# checks: demo_runs_every_map_that_works
# checks: demo_takes_every_way_through_the_allocator
# checks: demo_uses_memory_up_and_gets_it_back
# checks: demo_shows_zones_and_fragmentation
# checks: demo_counts_pages_as_the_map_says
# checks: demo_draws_every_page_once
# checks: demo_refuses_maps_that_cannot_work
# checks: demo_refuses_options_that_make_no_sense
# checks: demo_repeats_itself_on_one_cpu
# checks: demo_ends_where_its_picture_cannot_be_written
# checks: demo_works_on_machines_of_any_size
exec python3 "$(dirname "$0")/demo_check.py" "$1/fh-demo"
