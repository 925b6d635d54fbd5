# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034 # those that source it use the variables
# A Debian kernel in qemu, without KVM, and a root for it: what run.sh and
# instructions.sh share, sourced in the top directory. They choose_kernel,
# prepare_guest, make_root, add to $root what is theirs, and boot.
#
# The guest's only file system is an initramfs made of this machine's programs
# and the kernel package's modules. What is fetched is kept in build/guest/.

PACKAGES="qemu-system-x86 busybox-static cpio xdp-tools xz-utils zstd
	bpftool iproute2 ethtool curl debian-archive-keyring"
MODULES="virtio_pci virtio_net veth ipip ip6_tunnel bonding pktgen cls_bpf sch_ingress"
BUILD=${SLUICE_BUILD:-build}
PATH=$PATH:/usr/sbin:/sbin

# choose_kernel KERNEL [DIRECTORY]: and where root, initramfs and console.log go.
choose_kernel() {
	case $1 in
	6.1) suite=bookworm ;;
	6.12) suite=bookworm-backports ;;
	*)
		echo "guest: no kernel $1: 6.1 or 6.12" >&2
		exit 2
		;;
	esac
	work=$PWD/build/guest/$1
	made=${2:-$work}
	root=$made/root
}

install_packages() {
	missing=
	for package in $PACKAGES; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) missing="$missing $package" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	echo "guest: installing$missing"
	apt-get update -q >/dev/null
	# shellcheck disable=SC2086 # the list is meant to be split
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# ---- the kernel ----------------------------------------------------------
# apt with lists and sources of its own, so that the machine's stay as they are.
own_apt() {
	command=$1
	shift
	"$command" -qq -o Dir::Etc::sourcelist="$work/apt/sources" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
		-o APT::Sandbox::User=root "$@"
}

# Debian's archive, from where this machine has its packages.
fetch_kernel() {
	[ ! -e "$work/linux-image.deb" ] || return 0
	# shellcheck disable=SC2016 # it is apt that fills this in
	archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Label: Debian' 'Component: main' | head -n 1)
	if [ -z "$archive" ]; then
		echo "guest: apt knows no archive of Debian's here; try: apt-get update" >&2
		exit 1
	fi
	mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
	echo "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"$archive $suite main" >"$work/apt/sources"
	own_apt apt-get update
	package=$(own_apt apt-cache depends linux-image-amd64 |
		awk '/Depends: linux-image-/ { print $2; exit }')
	echo "guest: fetching $package"
	(cd "$work" && own_apt apt-get download "$package" && mv "$package"_*.deb linux-image.deb)
	rm -rf "$work/apt"
}

# collect_module NAME: it, and before it those that it needs, go to modules/ and
# into modules/order. What is nowhere is built into the kernel.
collect_module() {
	[ ! -e "$work/modules/$1.ko" ] || return 0
	file=$(find "$work/image" -name "$(echo "$1" | sed 's/_/[_-]/g').ko*")
	case $file in
	'') return 0 ;;
	*.xz) xz -dc "$file" >"$work/modules/$1.ko" ;;
	*.zst) zstd -qdc "$file" >"$work/modules/$1.ko" ;;
	*) cp "$file" "$work/modules/$1.ko" ;;
	esac
	grep -ao 'depends=[[:alnum:]_,-]*' "$work/modules/$1.ko" | sed 's/depends=//' | tr , '\n' |
		while read -r module; do
			[ -z "$module" ] || collect_module "$module"
		done
	echo "$1" >>"$work/modules/order"
}

unpacked() {
	[ -e "$work/vmlinuz" ] && [ "$(cat "$work/modules.list" 2>/dev/null)" = "$MODULES" ]
}

unpack_kernel() {
	! unpacked || return 0
	rm -rf "$work/image" "$work/modules"
	mkdir -p "$work/image" "$work/modules"
	dpkg-deb --fsys-tarfile "$work/linux-image.deb" |
		tar -x -C "$work/image" --wildcards './boot/vmlinuz-*' '*.ko*'
	for module in $MODULES; do
		collect_module "$module"
	done
	mv "$work/image/boot/vmlinuz-"* "$work/vmlinuz"
	echo "$MODULES" >"$work/modules.list"
	rm -rf "$work/image"
}

# One at a time: `bench-instructions BASE=...` starts two guests at once.
prepare_guest() {
	if [ "$(id -u)" != 0 ]; then
		echo "guest: run it as root (it reads the packages of apt, and may install some)" >&2
		exit 1
	fi
	if [ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ]; then
		echo "guest: needs Debian on amd64: the guest runs this machine's programs" >&2
		exit 1
	fi
	mkdir -p "$work"
	(
		flock 9
		install_packages
		fetch_kernel
		unpack_kernel
	) 9>"$work/lock"
}

# ---- the initramfs -------------------------------------------------------
# Copies a file, and the libraries that it is linked with to where they are here.
copy_program() {
	cp -L "$1" "$root/usr/bin"
	ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
}

# libxdp's dispatcher and xdp-filter's programs, where libxdp looks for them.
copy_xdp_objects() {
	objects=$(dirname "$(dpkg -L libxdp1 | grep '/xdp-dispatcher\.o$')")
	mkdir -p "$root$objects"
	cp "$objects"/xdp-dispatcher.o "$objects"/xdpfilt_*.o "$root$objects"
}

# make_root INIT PROGRAM...
make_root() {
	rm -rf "$root"
	mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/modules" \
		"$root/usr/bin" "$root/usr/lib" "$root/usr/lib64"
	ln -s usr/lib "$root/lib"
	ln -s usr/lib64 "$root/lib64"
	ln -s usr/bin "$root/bin"
	cp "$1" "$root/init"
	chmod 755 "$root/init"
	cp tests/guest/lab.sh "$root"
	shift
	for program; do
		copy_program "$(command -v "$program")"
	done
	cp "$(command -v busybox)" "$root/usr/bin"
	ln -s busybox "$root/usr/bin/sh"
	copy_xdp_objects
	cp "$work/modules/"* "$root/modules"
}

# ---- the run -------------------------------------------------------------
# boot SECONDS_MOST QEMU_OPTION...: what the guest says is kept in console.log, too.
boot() {
	seconds=$1
	shift
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$made/initramfs"
	timeout --foreground "$seconds" qemu-system-x86_64 \
		-cpu max -nodefaults -display none -serial stdio -no-reboot \
		-kernel "$work/vmlinuz" -initrd "$made/initramfs" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on" "$@" \
		</dev/null 2>&1 | sed -u -e 's/\r//g' -e '/is not connected to host network/d' |
		tee "$made/console.log"
}
