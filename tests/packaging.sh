#!/bin/bash
# What DKMS runs before it builds the modules, packaging/dkms/prepare-kernel: that each kernel which cannot have them, and
# each thing that is missing, comes out as one sentence that says what to do. With kernels, compilers and packages that
# are nothing but names; the test of the packages (make test GUEST=packages) does it for good.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/modules/1" "$dir/bin" "$dir/kernels" "$dir/headers"
count=0
failures=0

# prepare [VERSION]: with nothing in PATH but what has been put there
prepare() { env PATH="$dir/bin" MODULES="$dir/modules" NATF_KERNELS="$dir/kernels" "$top/packaging/dkms/prepare-kernel" "${1:-1}" 2>&1; }
report() { # report TITLE STATUS SAID
    count=$((count + 1))
    if (($2 == 0)); then
        echo "ok $count - $1"
    else
        failures=$((failures + 1))
        echo "not ok $count - $1"
        echo "# said: $3"
    fi
}
complains() { # complains TITLE PATTERN [VERSION]
    local said status=0
    said=$(prepare "${3:-1}") || status=$?
    [[ $status == 1 && $(wc -l <<<"$said") == 1 && $said =~ ^natf-dkms:\ Linux\ .*$2 && -z $(ls -A "$dir/kernels") ]]
    report "$1" $? "status $status: $said"
}
program() { # program NAME OUTPUT
    printf '#!%s\ncat <<"EOT"\n%s\nEOT\n' "$BASH" "$2" >"$dir/bin/$1"
    chmod +x "$dir/bin/$1"
}
for name in bash sed cat readlink sha256sum cut tr df rm mkdir ln rmdir env ls; do
    ln -s "$(type -P "$name")" "$dir/bin/$name"
done
configure() { printf 'CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-14 (Debian) 14.2.0"\n%s\n' "$1" >"$dir/headers/.config"; }

echo "KTAP version 1"
echo "1..12"
complains "no headers" "its headers are not installed\. Install linux-headers-1\."
ln -s "$dir/headers" "$dir/modules/1/build"
complains "headers of no kernel" "not the folder of a configured kernel"
configure ''
complains "a kernel without Rust" "built without CONFIG_RUST.*Install a Debian kernel from 7\.2 on"
configure 'CONFIG_RUST=y
CONFIG_RUSTC_VERSION_TEXT="rustc 1.85.1 (built)"'
complains "no rustc" "there is no rustc\. Install it: apt install rustc rust-src bindgen"
program rustc 'rustc 1.96.0 (other)'
complains "another rustc" 'built with "rustc 1\.85\.1 \(built\)", but rustc here is "rustc 1\.96\.0 \(other\)"'
program rustc 'rustc 1.85.1 (built)'
complains "no bindgen" "there is no bindgen"
program bindgen bindgen
complains "not the C compiler" "there is no x86_64-linux-gnu-gcc-14.*Install gcc-14\."
program x86_64-linux-gnu-gcc-14 gcc
printf '#!%s\nexit 1\n' "$BASH" >"$dir/bin/dpkg-query"
chmod +x "$dir/bin/dpkg-query"
complains "headers of no package" "of no Debian package and has no Rust metadata\. Run \"make prepare\" there"

# dpkg-query -S finds the package; -W knows its version, and that of the source.
cat >"$dir/bin/dpkg-query" <<'EOF2'
#!/bin/sh
case "$*" in
-S*) echo "linux-headers-1: /headers/.config" ;;
*linux-headers*) printf 7.2.12-1 ;;
*) [ -z "$SOURCE" ] || printf '%s' "$SOURCE" ;;
esac
EOF2
ln -s "$(type -P sh)" "$dir/bin/sh"
complains "no source" "its source is not installed\. Install it: apt install linux-source-1=7\.2\.12-1; then: dkms autoinstall -k 1"
export SOURCE=7.3.4-1
complains "source of another version" "its source is not installed \(it is that of 7\.3\.4-1\)"

# A kernel that brings its metadata along.
mkdir "$dir/headers/rust"
touch "$dir/headers/rust/libkernel.rmeta"
said=$(prepare) && [[ $dir/kernels/1 -ef $dir/headers ]]
report "metadata that is there is taken" $? "$said"
mkdir "$dir/kernels/gone"
configure 'CONFIG_RUST=y
CONFIG_RUSTC_VERSION_TEXT="rustc 1.85.1 (built)"
CONFIG_OTHER=y'
said=$(prepare) && [[ ! -e $dir/kernels/gone && -e $dir/kernels/1 ]]
report "what was made for a kernel that is gone goes" $? "$said"
exit "$((failures > 0))"
