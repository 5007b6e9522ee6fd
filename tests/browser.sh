#!/bin/sh
# Gets the Chromium that the pages' tests drive, and says what it did. Run again at will.
set -u

packages="chromium chromium-driver"

if command -v chromedriver >/dev/null && { command -v chromium || command -v google-chrome; } >/dev/null; then
    echo "Chromium and its driver are here"
elif command -v apt-get >/dev/null; then
    # Without root, ask for it.
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $packages
    command -v chromedriver >/dev/null || { echo "apt-get could not install: $packages" >&2; exit 1; }
else
    echo "the tests of pages need Chromium and chromedriver, and there is no apt-get here to install them:" >&2
    echo "install both, so that \`chromedriver\` is on the PATH" >&2
    exit 1
fi
