# shellcheck shell=bash
# The parts of ./check: build a variant, run its tests or fuzz targets, add up. Sourced from the top folder.
#
# Counted is what a test program itself counts: each TAP line is one, a test without TAP is one. A build that
# fails, a test that dies and a fuzz target that finds something each count as one failure.

passed=0 failed=0 skipped=0
part_key='' part_name='' part_start=0 part_counts=''
parts_log=()
failures=() # what failed, told again at the end, where people and CI look first
cores=$(nproc)

# part KEY NAME: closes the part before it. KEY is its row in docs/reliability.md.
part() {
	part_close
	part_key=$1 part_name=$2 part_start=$SECONDS part_counts="$passed $failed $skipped"
	printf '\n== %s\n' "$2"
}

part_close() {
	local was
	[ -n "$part_name" ] || return 0
	read -r -a was <<<"$part_counts"
	parts_log+=("$(printf '%s|%s|%d|%d|%d|%d' "$part_key" "$part_name" $((passed - was[0])) $((failed - was[1])) \
		$((skipped - was[2])) $((SECONDS - part_start)))")
	part_name=''
}

one_failed() {
	failed=$((failed + 1))
	failures+=("$1")
	echo "FAILED: $1" >&2
}

one_skipped() {
	skipped=$((skipped + 1))
	echo "skipped: $1"
}

give_up() {
	one_failed "$1"
	summary
}

summary() {
	local line name p f s seconds
	part_close
	printf '\n'
	for line in "${parts_log[@]}"; do
		IFS='|' read -r _ name p f s seconds <<<"$line"
		printf '%5d %4d %4d  %4d s  %s\n' "$p" "$f" "$s" "$seconds" "$name"
	done
	[ ${#failures[@]} = 0 ] || printf '%s\n' '' 'What failed:' "${failures[@]}"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
	exit
}

# shown_on_failure LOG COMMAND...: its output only when it fails, then all of it.
shown_on_failure() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null && return 0
	cat "$log" >&2
	return 1
}

# build NAME COMPILER MESON-OPTION...: build/NAME; set up anew when it was set up otherwise. $ninja_target
# names one target instead of everything.
build() {
	local dir=build/$1 compiler=$2 cxx=g++ options
	[[ $compiler != clang* ]] || cxx=${compiler/clang/clang++}
	shift 2
	options="$compiler $*"
	mkdir -p build
	if [ -e "$dir" ] && [ ! -w "$dir" ]; then
		one_failed "$dir belongs to somebody else; remove build/ first"
		return 1
	fi
	if [ "$(cat "$dir/.options" 2>/dev/null)" != "$options" ] || [ ! -e "$dir/build.ninja" ]; then
		rm -rf "$dir"
		CC=$compiler CXX=$cxx shown_on_failure "$dir.log" meson setup "$dir" "$@" || {
			one_failed "meson setup $dir"
			return 1
		}
		printf '%s\n' "$options" >"$dir/.options"
	fi
	shown_on_failure "$dir.log" ninja -C "$dir" ${ninja_target:+"$ninja_target"} || {
		one_failed "building $dir"
		return 1
	}
	echo "built $dir"
}

# run_tests NAME MESON-TEST-ARGUMENT...: the tests of build/NAME, added to the counts.
run_tests() {
	local dir=build/$1 name=$1 log=testlog rc=0
	shift
	[[ " $* " != *" --logbase "* ]] || log=$(sed -n 's/.* --logbase \([^ ]*\).*/\1/p' <<<" $* ")
	[[ " $* " != *" --wrap "* ]] || log=$log-valgrind
	log=$dir/meson-logs/$log.json
	rm -f "$log"
	env "${sanitizer_env[@]}" meson test -C "$dir" --no-rebuild --print-errorlogs "$@" </dev/null || rc=$?
	add_counts "$name" "$log" "$rc"
}

# A leak is a failure; one report is enough, so the first stops the program.
sanitizer_env=(
	ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:abort_on_error=0
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
)

# add_counts NAME LOG RC: what meson's machine-readable log counts; RC as meson test returned it.
add_counts() {
	local counts before=$failed told
	if counts=$(python3 tests/harness/count.py "$2" 2>"$2.failed"); then
		mapfile -t told <"$2.failed"
		failures+=("${told[@]}")
		read -r p f s <<<"$counts"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	fi
	[ "$3" = 0 ] || [ "$failed" != "$before" ] || one_failed "meson test in build/$1 ended with $3"
}

# run_fuzz NAME SECONDS: every target of build/NAME that long with libFuzzer, as many at a time as there are cores,
# with another seed every time. New inputs go to build/NAME/corpus; what breaks a target stays in build/NAME/found.
run_fuzz() {
	local dir=build/$1 seconds=$2 target pids=() names=() i
	mkdir -p "$dir/found"
	for target in "$dir"/tests/fuzz/fuzz_*; do
		if [ ! -f "$target" ] || [ ! -x "$target" ]; then
			continue
		fi
		fuzz_one "$target" "$seconds" "$dir" &
		pids+=($!) names+=("${target##*/}")
		[ $((${#pids[@]} % cores)) != 0 ] || wait "${pids[-1]}"
	done
	for i in "${!pids[@]}"; do
		if wait "${pids[i]}"; then
			passed=$((passed + 1))
			echo "ok ${names[i]}: $(grep -ao 'Done [0-9]* runs' "$dir/${names[i]}.log" | tail -1)"
		else
			grep -av '^#[0-9]' "$dir/${names[i]}.log" >&2
			one_failed "${names[i]}: input in $dir/found"
		fi
	done
}

fuzz_one() {
	local name=${1##*/} folders
	folders=("$3/corpus/$name" fixtures/slack)
	mkdir -p "${folders[0]}"
	[ ! -d "tests/fuzz/corpus/${name#fuzz_}" ] || folders+=("tests/fuzz/corpus/${name#fuzz_}")
	env "${sanitizer_env[@]}" "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
		-print_final_stats=0 -artifact_prefix="$3/found/$name-" "${folders[@]}" \
		>"$3/$name.log" 2>&1 </dev/null
}
