#!/bin/bash
# Bare Debian systems in folders, to see what a stranger's machine sees. As root; needs debootstrap.
#
#	debian.sh make SUITE DIR         a new one; the download is kept in /var/cache/matterark
#	debian.sh run DIR USER COMMAND   in it, with a clean environment; USER is root or mira, who may sudo
#	debian.sh remove DIR
#
# ARK_DEBIAN_MIRROR names another mirror than deb.debian.org.
set -euo pipefail

cache=/var/cache/matterark
mirror=${ARK_DEBIAN_MIRROR:-http://deb.debian.org/debian}

# bootstrap SUITE ARCHIVE
bootstrap() {
	local root=$cache/bootstrap-$1.$$
	mkdir -p "$cache"
	debootstrap --variant=minbase --include=ca-certificates,git,sudo "$1" "$root" "$mirror" >&2
	chroot "$root" useradd -m -s /bin/bash mira
	echo 'mira ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/mira"
	tar -C "$root" -cf "$2.new" .
	mv "$2.new" "$2"
	rm -rf --one-file-system "$root"
}

make() {
	local archive=$cache/debian-$1.tar root=$2 file
	[ ! -e "$root" ] || { echo "debian.sh: '$root' is there already" >&2; exit 1; }
	[ -e "$archive" ] || bootstrap "$1" "$archive"
	mkdir -p "$root"
	tar -C "$root" -xpf "$archive"
	for file in /etc/resolv.conf /etc/hosts; do
		cp -L "$file" "$root$file"
	done
	# how this machine reaches the mirror
	for file in /etc/apt/apt.conf.d/*proxy*; do
		[ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d"
	done
	mount --bind /proc "$root/proc"
	mount --bind /dev "$root/dev"
	mount -t devpts devpts "$root/dev/pts"
	mount -t tmpfs tmpfs "$root/dev/shm"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
}

run() {
	local home=/home/$2
	[ "$2" != root ] || home=/root
	chroot --userspec="$2" "$1" env -i HOME="$home" USER="$2" TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd; $3"
}

# Nothing that is mounted may be walked into.
remove() {
	local place
	for place in tmp dev/shm dev/pts dev proc; do
		if mountpoint -q "$1/$place"; then
			umount "$1/$place" || umount -l "$1/$place"
		fi
	done
	rm -rf --one-file-system "$1"
}

command=${1-}
shift || true
case $command in
make) make "$@" ;;
run) run "$@" ;;
remove) remove "$@" ;;
*)
	sed -n '2,8s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
