# Other Debians than the machine's own: each a tree below $trees, made by debootstrap and kept for the next run. To be sourced.

trees=${XDG_CACHE_HOME:-/var/cache}/hawser
# bookworm is Debian 12, trixie 13; cross is a Debian 12 with compilers and libraries for other machines (tools/cross.sh).
declare -A suites=([bookworm]=bookworm [trixie]=trixie [cross]=bookworm)

can_enter_trees() { as_root unshare --mount --pid --fork true 2>/dev/null; }

# in_tree NAME COMMAND: runs the command in the tree, in the checkout, which is read-only there, but for build/: that is build/NAME here.
# The tree is this run's alone. Nothing of it is left when this process ends, however it does: its standard input ends with it.
in_tree() {
    local name=$1 command=$2 lease
    mkdir -p "$root/build/$name"
    exec {lease}> >(
        set -o pipefail
        as_root "$root/tools/tree" "$trees" "$name" "${suites[$name]}" "$command" 2>&1 | sed -u "s/^/$name: /"
    )
    wait $!
    local status=$?
    exec {lease}>&-
    return $status
}
