# shellcheck shell=bash disable=SC2034
# What building and testing needs from the distribution (Debian 12 and 13, Ubuntu 24.04), and how it gets
# there. Sourced by ./check and ./quickstart from the top folder; it only defines names.
#
# While everything is there, nothing is installed and the network is not touched.

# The package and the command (or the file) that shows it is there, wherever it came from.
tools_to_build='
gcc                cc
g++                c++
meson              meson
ninja-build        ninja
pkgconf            pkg-config
python3            python3
libcmark-gfm-extensions-dev /usr/include/cmark-gfm-core-extensions.h
'
tools_to_run='
postgresql         initdb
postgresql-client  psql
'
tools_to_test='
clang              clang
fish               fish
git                git
groff-base         groff
libarchive-tools   bsdtar
minisign           minisign
mosquitto          mosquitto
openssl            openssl
pgbouncer          /usr/sbin/pgbouncer
python3-jsonschema jsonschema
shellcheck         shellcheck
unzip              unzip
zip                zip
zsh                zsh
zstd               zstd
'
tools_to_test_fully='
chromium           chromium
clang-tidy         clang-tidy
debhelper          dh
gcovr              gcovr
lintian            lintian
npm                npm
python3-pip        pip3
valgrind           valgrind
'

# The package and its name in pkg-config; asked for only when a meson.build does.
libraries='
libarchive-dev        libarchive
libcmark-gfm-dev      libcmark-gfm
libcrypt-dev          libcrypt
libcurl4-openssl-dev  libcurl
libexif-dev           libexif
libgd-dev             gdlib
libexpat1-dev         expat
libgit2-dev           libgit2
libjansson-dev        jansson
libpq-dev             libpq
libsimdjson-dev       simdjson
libsodium-dev         libsodium
libssl-dev            libcrypto
libturbojpeg0-dev     libturbojpeg
libutf8proc-dev       libutf8proc
libxxhash-dev         libxxhash
libzstd-dev           libzstd
zlib1g-dev            zlib
'

# The folder with the programs of the newest PostgreSQL here; nothing when there is none.
newest_postgresql() {
	local dir
	dir=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb | grep -v '\*' | sort -V | tail -1)
	[ -n "$dir" ] || dir=$(command -v initdb) || return 0
	dirname "$dir"
}

tool_is_there() {
	case $1 in
	/*) [ -e "$1" ] ;;
	initdb) [ -n "$(newest_postgresql)" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# packages_missing LIST...: the packages of these tool lists, and of the libraries, that are not here yet.
packages_missing() {
	local package sign
	printf '%s\n' "$@" | while read -r package sign; do
		[ -z "$package" ] || tool_is_there "$sign" || echo "$package"
	done
	printf '%s\n' "$libraries" | while read -r package sign; do
		[ -n "$package" ] || continue
		grep -rqs --include=meson.build "dependency('$sign'" . || continue
		pkg-config --exists "$sign" 2>/dev/null || echo "$package"
	done
	# Only recommended by clang, and needed to link fuzz targets.
	if [[ $* == *clang* ]] && ! fuzzer_links; then
		fuzzer_package
	fi
}

fuzzer_links() {
	command -v clang >/dev/null || return 1
	[ -e "$(clang -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a)" ] ||
		[ -e "$(clang -print-runtime-dir)/libclang_rt.fuzzer.a" ] ||
		[ -e "$(clang -print-runtime-dir)/libclang_rt.fuzzer-$(uname -m).a" ]
}

# libclang-rt-14-dev beside clang 1:14.0-55; the number is known once clang itself is.
fuzzer_package() {
	local version
	version=$(dpkg-query -W -f '${Version}' clang 2>/dev/null || apt-cache show clang 2>/dev/null |
		sed -n 's/^Version: //p' | head -1)
	version=${version#*:}
	[ -z "$version" ] || echo "libclang-rt-${version%%.*}-dev"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Debian's package makes and starts a server of its own. We want the programs only, so it is told not to,
# and afterwards told again what it was told before.
install_postgresql() {
	local conf=/etc/postgresql-common/createcluster.conf rc=0
	apt_install postgresql-common || return
	# A copy that is there already is from a run that was interrupted here.
	[ -e "$conf.matterark" ] || as_root cp -p "$conf" "$conf.matterark" || return
	printf 'create_main_cluster = false\n' | as_root tee "$conf" >/dev/null
	apt_install "$@" || rc=$?
	as_root mv "$conf.matterark" "$conf"
	return "$rc"
}

# packages_install LIST...: makes everything of these lists present, or says what to install.
packages_install() {
	local missing again
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} != 0 ] || return 0
	echo "installing: ${missing[*]}"
	if ! command -v apt-get >/dev/null; then
		echo "this machine has no apt-get; install what these Debian packages hold, then run this again" >&2
		return 1
	fi
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "there is no sudo here; as root: apt-get install ${missing[*]}" >&2
		return 1
	fi
	as_root apt-get update -q || echo "package lists not renewed, continuing with those that are here" >&2
	if [[ " ${missing[*]} " == *" postgresql "* ]]; then
		install_postgresql "${missing[@]}" || return
	else
		apt_install "${missing[@]}" || return
	fi
	# The fuzzer's package can be named only after clang is installed or the lists are there.
	mapfile -t again < <(packages_missing "$@")
	[ ${#again[@]} = 0 ] || apt_install "${again[@]}"
}
