#!/bin/sh
# fuzz.sh TARGET FOUND CORPUS [ARGUMENT...]: goes on from what was found before, and from the corpus.
target=$1 found=$2 corpus=$3
shift 3
mkdir -p "$found" && exec "$target" "$@" "$found" "$corpus"
