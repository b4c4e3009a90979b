# Builds and tests for other machines: in the tree "cross" of tools/trees.sh, as it adds their architectures to the system's. To be sourced.

# Debian's name of each: compiler, library folder, meson's name, byte order, dynamic linker, emulator.
declare -A machines=(
    [i386]='i686-linux-gnu i386-linux-gnu x86 little /lib/ld-linux.so.2 qemu-i386-static'
    [arm64]='aarch64-linux-gnu aarch64-linux-gnu aarch64 little /lib/ld-linux-aarch64.so.1 qemu-aarch64-static'
    [s390x]='s390x-linux-gnu s390x-linux-gnu s390x big /lib/ld64.so.1 qemu-s390x-static'
)
machine_tests=(types protocol compression connection middleware reactor simulation support transport)

add_architecture() { dpkg --print-foreign-architectures | grep -qx "$1" || dpkg --add-architecture "$1"; }

# What meson has to know. A program that does not run as it is, as i386's do and others' where the kernel was told so, is emulated.
write_machine_file() {
    local compiler=$1 libraries=$2 family=$3 endian=$4 linker=$5 emulator=$6 is_foreign=true
    "$linker" --version >/dev/null 2>&1 && is_foreign=false
    cat <<EOF
[binaries]
cpp = '$compiler-g++'
ar = '$compiler-ar'
strip = '$compiler-strip'
pkgconfig = 'pkg-config'
exe_wrapper = '$emulator'
[properties]
pkg_config_libdir = ['/usr/lib/$libraries/pkgconfig', '/usr/share/pkgconfig']
needs_exe_wrapper = $is_foreign
[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$family'
endian = '$endian'
EOF
}

# test_machine ARCHITECTURE [ARGUMENT...]: of meson test.
test_machine() {
    local architecture=$1 machine library packages=(meson ninja-build pkg-config qemu-user-static catch2 python3 openssl)
    shift
    read -ra machine <<<"${machines[$architecture]}"
    add_architecture "$architecture"
    for library in libev-dev libmbedtls-dev libc-ares-dev zlib1g-dev libstdc++6; do packages+=("$library:$architecture"); done
    install_packages "${packages[@]}" "g++-${machine[0]//_/-}"
    mkdir -p build/machines
    write_machine_file "${machine[@]}" >"build/machines/$architecture"
    # Nobody asks for symbols, which take time to compile. With little optimization gcc 12 sees variants uninitialized that are not.
    step "$architecture: configure" configure "build/$architecture" --cross-file "build/machines/$architecture" -Dwerror=true -Dtests=enabled \
        -Dtools=disabled -Dexamples=disabled -Dinterop=disabled --buildtype debug --optimization 1 \
        -Ddebug=false -Dcpp_args=-Wno-maybe-uninitialized
    step "$architecture: build" meson compile -C "build/$architecture" "${machine_tests[@]/%/_test}"
    step "$architecture: tests" run_tests "build/$architecture" --timeout-multiplier 10 "$@" "${machine_tests[@]}"
}
