# shellcheck shell=bash
# The two machines and the world around them. What is said to them, and how they are ended, is the demonstration's
# business. Sourced by the story, inside the build root; it sets $tests.
#
#   en ══ world (isp, BIND) ══ hgw ══ world (alice, media)        ══ is a stream socket between two QEMUs

# shellcheck disable=SC2154,SC2034
# shellcheck source=tests/demo/guests.sh
. "$tests/demo/guests.sh"
guests=(world en hgw)

network_of() { # network_of GUEST: its QEMU options; sockets are made by the world
    case $1 in
    world)
        nic en n0 on 01
        nic wan n1 on 02
        nic lan n2 on 03
        ;;
    en) nic en n0 off 11 ;;
    hgw)
        nic wan n0 off 21
        nic lan n1 off 22
        ;;
    esac
}

# launch_machine DIR NAME QEMU-OPTION…: Debian as it boots by itself, only that QEMU takes the part of the boot loader.
# What it writes to its disk is there after a reboot, and gone with QEMU.
launch_machine() {
    local dir=$1 name=$2 kernel
    shift 2
    kernel=$(printf '%s\n' "$NATF_CACHE"/machine/boot/vmlinuz-* | sort -V | tail -n 1)
    TMPDIR=$dir exec qemu-system-x86_64 -nodefaults -no-user-config -display none \
        -M q35 -cpu max -accel "$(accelerator)" -smp 1 -m 768 -kernel "$kernel" \
        -append "root=/dev/nvme0n1 rw console=ttyS0 loglevel=5 oops=panic panic_on_warn=1 systemd.hostname=$name" \
        -chardev file,id=console,path="$dir/console",append=on -serial chardev:console \
        -device virtio-serial-pci -chardev "pipe,path=$dir/agent,id=channel" \
        -device virtserialport,chardev=channel,name=natf \
        -drive file="$NATF_CACHE/machine.img",format=raw,if=none,id=root,snapshot=on \
        -device nvme,drive=root,serial=root "$@" </dev/null >"$dir/qemu" 2>&1
}

export -f launch_machine

launch_guest() {
    case $2 in
    world) launch_qemu "$1" world packages/world "${@:3}" ;;
    *) launch_machine "$@" ;;
    esac
}
