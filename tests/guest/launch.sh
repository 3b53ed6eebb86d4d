# shellcheck shell=bash
# How a guest is started: to be sourced, inside the build root. Sets nothing but functions.
#
#   launch_uml   RUNDIR NAME RUN     exec of User-Mode Linux
#   launch_debug RUNDIR NAME RUN     the same, of the kernel that looks for mistakes by itself
#   launch_qemu  RUNDIR NAME RUN …   exec of QEMU with the stock kernel; … = further QEMU options
#
# RUNDIR holds initrd (from guest/initrd) and receives console and result. NATF_MEMORY is the guest's, in
# MiB; NATF_PARAMETERS are further words of its kernel command line; NATF_PRIORITY is a command that runs UML,
# for instance with another priority. With NATF_ICOUNT the clock of QEMU counts instructions, one a nanosecond.

stock_kernel() { # the newest kernel image of the build root
    printf '%s\n' /boot/vmlinuz-* | sort -V | tail -n 1
}

# A warning of the kernel is a failure, so it ends the guest; level 5 shows warnings and keeps the
# boot's chatter away.
common_parameters="panic=-1 panic_on_warn=1 oops=panic loglevel=5"
# What a person has set for the scenarios.
common_parameters+=" natf.rounds=${ROUNDS:-} natf.minutes=${MINUTES:-} natf.seed=${SEED:-}"

launch_uml() { start_uml uml "$@" mem="${NATF_MEMORY:-512}M"; }

# Room for what KASAN keeps from being used again, and for the stacks that the detectors remember: those of interrupts,
# which come anywhere, are all different. When the default of 128 MiB is full, the kernel warns.
launch_debug() { start_uml debug "$@" mem=1536M seccomp=auto stack_depot_max_pools=32768; }

start_uml() { # start_uml KIND RUNDIR NAME RUN OPTION…
    local kind=$1 dir=$2 name=$3 run=$4
    shift 4
    ulimit -c 0
    local root
    # hostfs takes no symbolic link for its root.
    root=$(realpath "${NATF_GUEST:-$NATF_CACHE/guest}")
    # noreboot: a panic must end the process, not start the kernel again. Nothing of the machine's
    # terminals is handed to the guest.
    # shellcheck disable=SC2086 # a list of words
    TMPDIR=$dir exec ${NATF_PRIORITY:-} "${NATF_UML:-$NATF_CACHE/$kind/linux}" "$@" \
        initrd="$dir/initrd" umid=guest uml_dir="$dir" noreboot \
        con=null con0=null,fd:1 ssl=null \
        $common_parameters natf.kind="$kind" natf.root="$root" \
        natf.result="$dir" natf.name="$name" natf.run="$run" ${NATF_PARAMETERS:-} \
        </dev/null >"$dir/console" 2>&1
}

launch_qemu() {
    local dir=$1 name=$2 run=$3 smp=${NATF_SMP:-1} memory=${NATF_MEMORY:-512}
    local channel=file,path=$dir/result accelerator
    shift 3
    accelerator=$(accelerator)
    if [ -n "${NATF_ICOUNT:-}" ]; then
        accelerator=tcg,thread=single
        set -- -icount shift=0 "$@"
    fi
    if [ "${NATF_CHANNEL:-file}" = pipe ]; then
        channel=pipe,path=$dir/agent
    fi
    # shellcheck disable=SC2086 # lists of words
    TMPDIR=$dir exec qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
        -M q35 -cpu max -accel "$accelerator" -smp "$smp" -m "$memory" \
        -kernel "$(stock_kernel)" -initrd "$dir/initrd" \
        -append "console=ttyS0 $common_parameters natf.kind=qemu natf.name=$name natf.run=$run ${NATF_PARAMETERS:-}" \
        -chardev file,id=console,path="$dir/console" -serial chardev:console \
        -device virtio-serial-pci -chardev "$channel,id=channel" \
        -device virtserialport,chardev=channel,name=natf \
        -drive file="${NATF_IMAGE:-$NATF_CACHE/guest.img},format=raw,if=none,id=root,snapshot=on" \
        -device nvme,drive=root,serial=root \
        "$@" </dev/null >"$dir/qemu" 2>&1
}

# accelerator: kvm if a stock guest really boots on it, else software emulation. /dev/kvm may exist and
# still be unable to run one, so it is tried; the answer is kept for this machine and kernel.
accelerator() {
    local note fresh
    if [ ! -w /dev/kvm ] || [ "${NATF_KVM:-}" = no ]; then
        echo tcg,thread=multi
        return
    fi
    note=$NATF_CACHE/test/accel.$(uname -r).$(basename "$(stock_kernel)")
    if [ ! -e "$note" ]; then
        mkdir -p "$NATF_CACHE/test"
        fresh=$(mktemp "$note.XXXXXX")
        if try_kvm; then
            echo kvm >"$fresh"
        else
            echo tcg,thread=multi >"$fresh"
        fi
        mv "$fresh" "$note"
    fi
    cat "$note"
}

# The trial kernel finds no root and panics, and with -no-reboot that ends QEMU: reaching this
# message is proof enough that KVM runs it.
try_kvm() {
    local log status
    log=$(mktemp)
    timeout -k 1 8 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
        -M q35 -cpu max -accel kvm -m 256 -kernel "$(stock_kernel)" \
        -append "console=ttyS0 panic=-1" -serial "file:$log" </dev/null >/dev/null 2>&1 || true
    grep -q 'Unable to mount root fs' "$log"
    status=$?
    rm -f "$log"
    return $status
}
