#!/bin/sh
# Gets what is needed to build plugins, and says what it did. Run again at will.
set -u

target=wasm32-unknown-unknown
source=/usr/lib/rustlib/src/rust/library/std/Cargo.toml
packages="rustc-web cargo-web rust-web-src"

has_target() {
    [ -d "$(rustc --print target-libdir --target $target 2>/dev/null)" ]
}

has_debian() {
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -f $source ]
}

if has_target; then
    echo "rustc already builds for $target"
elif command -v rustup >/dev/null && rustup target add $target && has_target; then
    echo "rustup added $target"
elif has_debian; then
    echo "Debian's rustc and its source are here; they build for $target"
elif command -v apt-get >/dev/null; then
    # Without root, ask for it.
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $packages
    has_debian || { echo "apt-get could not install: $packages" >&2; exit 1; }
    # Debian's compiler brings no linker for WebAssembly; rustup's compiler does.
    if ! [ -x "$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin/rust-lld" ]; then
        $as_root apt-get install -y --no-install-recommends lld
    fi
    echo "apt-get installed $packages; they build for $target"
else
    echo "neither rustup nor apt-get can get $target here; install Rust from https://rustup.rs" >&2
    exit 1
fi
