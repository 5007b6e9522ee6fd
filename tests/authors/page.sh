#!/usr/bin/env bash
# Runs every shell block of a page in docs/, in order, in an empty folder: a page cannot say what does not work.
# page.sh PAGE FOLDER
set -euo pipefail
page=$(realpath "$1")
rm -rf "$2" && mkdir -p "$2" && cd "$2"
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$page" > commands
bash -euo pipefail commands
echo "every command of $(basename "$page") works"
