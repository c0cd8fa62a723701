#!/bin/sh
# Builds web/dist if any of its sources have changed. `dashboard.sh packages` only installs the npm packages.
set -eu
cd "$(dirname "$0")/../../web"

print_progress() { printf '%s\n' "$*" >&2; }
fail() { print_progress "jejo: $*"; exit 1; }

major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
if [ -z "$major" ] || [ "$major" -lt 18 ] || ! command -v npm >/dev/null 2>&1; then
    fail "the dashboard needs Node.js 18 or newer and npm to build: sudo apt-get install nodejs npm."
fi

packages=$({ cat package.json package-lock.json .npmrc; node --version; } | sha256sum | cut -d' ' -f1)
if [ "$(cat node_modules/.stamp 2>/dev/null || true)" != "$packages" ]; then
    print_progress "Dashboard: installing pinned packages"
    npm ci --silent >&2 || fail "the npm packages cannot be installed: check the network, npm's settings and free disk space, then run this again."
    printf '%s' "$packages" > node_modules/.stamp
fi
[ "${1:-}" != packages ] || exit 0

sources=$({ printf '%s' "$packages"; find src build.mjs index.html tsconfig.json -type f | LC_ALL=C sort | xargs sha256sum; } \
    | sha256sum | cut -d' ' -f1)
if [ "$(cat dist/.stamp 2>/dev/null || true)" = "$sources" ]; then
    exit 0
fi
print_progress "Dashboard: building"
node_modules/.bin/tsc --noEmit || fail "the dashboard has type errors: see the lines above."
npm run --silent build || fail "the dashboard cannot be built: see the lines above."
printf '%s' "$sources" > dist/.stamp
