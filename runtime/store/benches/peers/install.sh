#!/bin/sh
# Puts the peers where `just bench-peers` looks for them, each from its own registry.
set -eu
here=$(dirname "$0")
there=target/peers
mkdir -p "$there"
cp "$here/package.json" "$here/restate.js" "$here/dbos.js" "$here/order.json" "$there/"
(cd "$there" && npm install --silent --no-audit --no-fund)
test -x /usr/lib/postgresql/15/bin/initdb || { echo "install PostgreSQL: apt-get install postgresql-15" >&2; exit 1; }
