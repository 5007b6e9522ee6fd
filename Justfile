# What can be done here. `just` alone lists it.
[private]
default:
    @just --list --unsorted

# Install what a fresh machine lacks to build plugins.
setup:
    @plugins/toolchain.sh

# Fifty referrals over thirty simulated days, on real sockets.
demo *ARGS: setup
    cargo run -q --bin handoff -- demo {{ARGS}}

# Run Handoff on loopback with a configuration made by `handoff init`.
serve DIR="./handoff-data": setup
    test -e {{DIR}}/handoff.yaml || cargo run -q --bin handoff -- init {{DIR}}
    cargo run -q --bin handoff -- serve --config {{DIR}}/handoff.yaml

# Get the Chromium that the tests of pages drive.
browser:
    @tests/browser.sh

# Pictures of every page at two widths, in target/screenshots.
screenshots: setup browser
    cargo nextest run -p handoff-tests pages::browser
    @ls target/screenshots

# Every test: the house's, then the plugins' own.
test *ARGS: setup browser
    command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest
    cargo nextest run --workspace {{ARGS}}
    cd plugins && cargo nextest run {{ARGS}}
    if command -v python3 >/dev/null; then just vendors; else echo "no python3: the vendors' validators were not asked"; fi
    just authors

# Twilio's and Telnyx's own validators beside ours.
vendors: setup
    test -d target/vendors || python3 -m venv target/vendors
    target/vendors/bin/pip install -q --disable-pip-version-check -r tests/vendors/requirements.txt
    cargo build -q --bin handoff && target/vendors/bin/python tests/vendors/signatures.py target/debug/handoff

# Schemathesis against the interface for people, once as each role. Minutes.
api-fuzz EXAMPLES="50": setup
    test -d target/vendors || python3 -m venv target/vendors
    target/vendors/bin/pip install -q --disable-pip-version-check -r tests/vendors/requirements-api.txt
    cargo build -q --bin handoff && target/vendors/bin/python tests/vendors/api_fuzz.py target/debug/handoff {{EXAMPLES}}

# A fuzzer beside each parser of foreign bytes, for so many minutes each. Ends at the first finding.
fuzz MINUTES="10":
    command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
    tests/fuzz/all.sh {{MINUTES}}

# The plugins in JavaScript and Python, and every command of the guide in docs/.
authors: setup
    cargo build -q --bin handoff && PATH="$PWD/target/debug:$PATH" tests/authors/all.sh

# Formatting and lints, as CI wants them.
check: setup
    cargo fmt --all --check && cargo fmt --manifest-path plugins/Cargo.toml --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    # A new variant is to be thought about wherever its type is told apart; a test may say "anything else".
    cargo clippy --workspace --lib --bins -- -D warnings -D clippy::wildcard_enum_match_arm
    cargo clippy --manifest-path plugins/Cargo.toml --all-targets -- -D warnings
    just deny

# Licences, sources and bans; and known holes, where the advisory database can be reached.
deny:
    command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
    if cargo deny fetch db 2>/dev/null; then cargo deny check; else echo "no advisory database here" && cargo deny check bans licenses sources; fi

# Build the bundled plugins into components and list them.
plugins: setup
    cargo run -q --bin handoff -- plugin list

# Ratios against bare wasmtime, the native parser, and this machine's disk.
bench *ARGS: setup
    cargo bench -p handoff-host -p handoff-store -p handoff-rehearsal --bench call --bench journal --bench line {{ARGS}}

# The store's figures beside their aims. `just bench-store sustained` takes ten minutes for each side and 40 GB.
bench-store *ARGS:
    cargo bench -p handoff-store --bench journal -- {{ARGS}}

# A thousand changes of the workflow under 64 connections: what they cost the orders that come in meanwhile.
bench-swap *ARGS: setup
    cargo bench -p handoff-rehearsal --bench swap -- {{ARGS}}

# A plan over a million referrals in flight, and what putting it in force holds up.
bench-plan *ARGS: setup
    cargo bench -p handoff-rehearsal --bench plan -- {{ARGS}}

# A year of a hundred thousand referrals in virtual time: minutes. `just year 5000` takes a part of it. The memory of one
# panel of patients serves the next, without going back to the kernel in between.
year *REFERRALS: setup
    MIMALLOC_PURGE_DELAY=-1 cargo bench -p handoff-rehearsal --bench year -- {{REFERRALS}}

# Lives through simulated histories for so many minutes, and names each seed that broke a promise.
soak MINUTES="30" FROM="1000": setup
    HANDOFF_SEEDS_FROM={{FROM}} HANDOFF_SOAK_MINUTES={{MINUTES}} cargo nextest run -p handoff-tests --no-capture no_promise_is_broken

# How well replies are read: a matrix for each language and the shares that matter, over any file of labelled replies.
replies *FILES:
    cargo run --manifest-path plugins/Cargo.toml -q -p reply-phrases --example measure -- {{FILES}}

# Lives through one history again.
soak-seed SEED: setup
    HANDOFF_SEED={{SEED}} cargo nextest run -p handoff-tests --no-capture no_promise_is_broken

# A whole referral by us, by Restate and by DBOS, and what kill -9 costs each. Half an hour; needs Node and PostgreSQL 15.
bench-peers *ARGS:
    @runtime/store/benches/peers/install.sh
    cargo bench -p handoff-store --bench peers -- {{ARGS}}

# Format everything.
fmt:
    cargo fmt --all && cargo fmt --manifest-path plugins/Cargo.toml --all
