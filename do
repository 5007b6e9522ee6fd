#!/bin/sh
# Runs a recipe of the Justfile: `./do demo`, `./do test`. Gets `just` ready-made where there is Python, and builds it elsewhere.
set -eu
cd "$(dirname "$0")"
tools="$PWD/target/tools"
PATH="$tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export PATH
if ! command -v just >/dev/null; then
    { python3 -m venv "$tools" && "$tools/bin/pip" install -q --disable-pip-version-check rust-just; } ||
        cargo install --locked --root "$tools" just
fi
exec just "$@"
