#!/usr/bin/env bash
# Lets each target run for so many minutes, one after another, beginning with the project's own samples. What it learns
# stays in `corpus/`; the first finding ends it, lies in `artifacts/`, and is told with the command that repeats it.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/fuzz
seconds=$((${1:?how many minutes?} * 60))
# The recipe and the longest sample fit; what is longer teaches nothing that a long field does not.
bytes_max=32768
# A parser that thinks about that for so long is a finding, even on a busy machine.
seconds_max=25

# A target, and where its seeds lie. No sanitizer: the parsers have no `unsafe` of their own, and without it the stable
# toolchain will do. The flag `cfg(fuzzing)` is left out: what ships is what is tried. The news of each input is left out.
fuzz() {
    local target=$1 learned=$here/corpus/$1
    echo "== $target"
    mkdir -p "$learned"
    cargo fuzz run --fuzz-dir "$here" --sanitizer none --no-cfg-fuzzing "$target" "$learned" "${@:2}" -- \
        -dict="$here/dictionaries/$target.dict" -print_final_stats=1 \
        -max_total_time="$seconds" -max_len="$bytes_max" -timeout="$seconds_max" 2>&1 |
        grep -vE '^(#[0-9]+\s+(NEW|REDUCE|RELOAD)|\s+NEW_FUNC|WARNING: Failed to find|".*# Uses)'
}

fuzz hl7 plugins/trigger-hl7v2/tests/data
fuzz webhook tests/fuzz/seeds/webhook
fuzz workflow tests/fuzz/seeds/workflow workflows
# Its seed is a journal that it writes itself; what is mutated is what somebody does to the files.
fuzz journal
# Nothing to begin with: any value will do.
fuzz tokens
