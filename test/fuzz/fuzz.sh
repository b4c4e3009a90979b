#!/bin/sh
# fuzz.sh NAME TARGET FOUND CORPUS [ARGUMENT...]: goes on from what was found before, and from the corpus; reports as TAP.
name=$1 target=$2 found=$3 corpus=$4
shift 4
log=$found.log
mkdir -p "$found"
echo 1..1
if "$target" "$@" "$found" "$corpus" >"$log" 2>&1; then
    echo "ok 1 - $name: $(grep '^Done ' "$log")"
else
    cat "$log"
    echo "not ok 1 - $name"
fi
