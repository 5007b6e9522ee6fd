#!/usr/bin/env bash
# As an author: the plugins that are not Rust are built, tried and held to their stage's kit; then every command of the
# guide. The tools of each language are installed once, above the folders that need them. `handoff` is on the path.
set -euo pipefail
cd "$(dirname "$0")/../.."
there=$PWD/target/authors
mkdir -p "$there"
for tool in node npm python3; do
    command -v $tool >/dev/null || { echo "no $tool: plugins in JavaScript and Python were not tried"; exit 0; }
done
test -d "$there/node_modules" || { cp plugins/outreach-telnyx/package.json "$there/" && (cd "$there" && npm install --silent --no-audit --no-fund); }
test -d "$there/.venv" || python3 -m venv "$there/.venv"
"$there/.venv/bin/pip" install -q --disable-pip-version-check -r plugins/escalation-jira/requirements.txt
for plugin in outreach-telnyx escalation-jira; do
    rm -rf "${there:?}/$plugin" && cp -r "plugins/$plugin" "$there/"
    echo "== $plugin"
    handoff plugin build "$there/$plugin"
    handoff plugin test "$there/$plugin"
    handoff plugin conform "$there/$plugin"
done
tests/authors/page.sh docs/writing-a-plugin.md "$there/guide"
