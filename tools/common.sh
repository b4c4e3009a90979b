# What the set-up scripts share: steps with progress, errors in one line, and installing what is missing. To be sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
cd "$root" || exit 1

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    exit 1
}

# step NAME COMMAND...: runs the command with its output in a log, and says how long it took, or why it failed.
step() {
    local name=$1 log begin=$SECONDS status
    shift
    log=$logs/${name//[^a-z0-9]/-}.log
    { mkdir -p "$logs" && : >"$log"; } 2>/dev/null || fail "cannot write $log"
    printf '%-44s' "$name ..."
    if [ -t 1 ]; then
        "$@" 2>&1 </dev/null | show_progress "$name ..." "$log"
        status=${PIPESTATUS[0]}
    else
        "$@" >"$log" 2>&1 </dev/null
        status=$?
    fi
    if [ "$status" -eq 0 ]; then
        printf 'done (%d s)\n' $((SECONDS - begin))
    else
        printf 'failed (%d s)\n' $((SECONDS - begin))
        fail "$name: $(reason "$log") (whole log: $log)"
    fi
}

# show_progress LABEL LOG: copies its input to the log, and shows behind the label on the terminal what ninja and meson count.
show_progress() {
    local line clear='                    '
    while IFS= read -r line; do
        printf '%s\n' "$line" >&3
        [[ $line =~ ^[[\ ]*([0-9]+)/([0-9]+) ]] && printf '\r%-44s%s of %s' "$1" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    done 3>"$2"
    printf '\r%-44s%s\r%-44s' "$1" "$clear" "$1"
}

# The line of a log that most likely says what went wrong.
reason() {
    local pattern line
    [ "$(df --output=avail "$1" 2>/dev/null | tail -n 1)" -gt 0 ] || { printf 'no space is left in %s' "$logs" && return; }
    for pattern in '(error|ERROR|fatal error): ' '^(E: |npm error |FAILED: )' .; do
        line=$(grep -m 1 -E "$pattern" "$1") && break
    done
    printf '%s' "${line:-no output}"
}

can_be_root() { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages PACKAGE...: by apt-get, those alone that are missing.
install_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "apt-get is missing: install by hand what corresponds to ${missing[*]}"
    can_be_root || fail "neither root nor sudo: run as root, once: apt-get install --no-install-recommends ${missing[*]}"
    step "update the package lists" as_root apt-get update -q
    step "install ${#missing[@]} packages" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}

build_packages=(g++ meson ninja-build pkg-config libev-dev libmbedtls-dev libc-ares-dev zlib1g-dev libcli11-dev nlohmann-json3-dev)

# configure FOLDER OPTION...: unless that is done, with these options; meson itself sees when a meson.build changes.
configure() {
    local folder=$1
    shift
    [ "$(cat "$folder/options" 2>/dev/null)" = "$*" ] && return 0
    rm -rf "$folder"
    meson setup "$folder" "$@" && echo "$*" >"$folder/options"
}

# run_tests FOLDER ARGUMENT...: of meson test.
run_tests() {
    local folder=$1
    shift
    # Its exit status is not asked for: the summary reads the results.
    rm -f "$folder"/meson-logs/testlog*
    meson test -C "$folder" --no-rebuild --timeout-multiplier 2 "$@"
    [ -s "$folder/meson-logs/testlog.json" ]
}
