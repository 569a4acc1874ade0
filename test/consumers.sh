#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds the kernels of examples/consumers with Make, CMake and Meson, in a
# temporary directory, from the build files that users include. Each must link
# with nothing left undefined, out of every file that sources.txt lists.
#
#     test/consumers.sh [make] [cmake] [meson]
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log

fail() {
	cat "$log"
	echo "consumers: $1" >&2
	exit 1
}

# Objects of all sources must have gone into the program.
check_program() {
	test -s "$2" || fail "$1: no kernel.elf"
	undefined=$(nm -u "$2")
	test -z "$undefined" || fail "$1: undefined: $undefined"
	for symbol in kernel_main fh_init fh_frame_alloc fh_audit \
		fh_map_read_text fh_list_push_back fh_segment_split; do
		nm "$2" >"$log"
		grep -q " T $symbol\$" "$log" || fail "$1: no $symbol"
	done
	echo "consumers: $1 builds a kernel"
}

build_with_make() {
	make -C "$work/make" FRAMEHOLD="$root" >"$log" 2>&1 ||
		fail "make failed"
	check_program make "$work/make/kernel.elf"
	listed=$(sed 's/#.*//' "$root/sources.txt" | grep -c .)
	built=$(find "$work/make" -name '*.o' | grep -c .)
	# The kernel and three files of hooks come on top.
	test "$built" -eq $((listed + 4)) ||
		fail "make: $built objects of $listed sources"
	marked=$(sed -n 's/ *# *allocator$//p' "$root/sources.txt")
	test -n "$marked" || fail "sources.txt marks no allocator"
	make -C "$work/make" -Bn FRAMEHOLD="$root" FH_OWN_ALLOCATOR=1 >"$log"
	for file in $marked; do
		! grep -q "/$file" "$log" ||
			fail "make: $file in spite of FH_OWN_ALLOCATOR"
	done
	grep -q /src/frame.c "$log" || fail "make: FH_OWN_ALLOCATOR loses files"
}

build_with_cmake() {
	cmake -S "$work/cmake" -B "$work/cmake/build" -DFRAMEHOLD="$root" \
		>"$log" 2>&1 || fail "cmake failed"
	cmake --build "$work/cmake/build" >"$log" 2>&1 ||
		fail "cmake --build failed"
	check_program cmake "$work/cmake/build/kernel.elf"
}

build_with_meson() {
	cp "$root/port/host_up.c" "$root/port/host_none.c" \
		"$root/port/host_no_tables.c" "$work/kernel.c" "$work/meson"
	mkdir "$work/meson/subprojects"
	ln -s "$root" "$work/meson/subprojects/framehold"
	meson setup "$work/meson/build" "$work/meson" >"$log" 2>&1 ||
		fail "meson setup failed"
	meson compile -C "$work/meson/build" >"$log" 2>&1 ||
		fail "meson compile failed"
	check_program meson "$work/meson/build/kernel.elf"
}

cp -R "$root/examples/consumers/." "$work"
: >"$log"
test $# -gt 0 || set -- make cmake meson
for tool in "$@"; do
	case $tool in
	make | cmake | meson) ;;
	*) fail "no consumer for $tool" ;;
	esac
	command -v "$tool" >"$log" || fail "$tool is not installed"
	"build_with_$tool"
done
