#!/bin/sh
# Builds web/dist if any of its sources has changed. With "packages": only installs npm's packages.
set -eu
cd "$(dirname "$0")/../../web"

say() { printf '%s\n' "$*" >&2; }
stop() { say "jejo: $*"; exit 1; }

major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
if [ -z "$major" ] || [ "$major" -lt 18 ] || ! command -v npm >/dev/null 2>&1; then
    stop "the dashboard is built with Node.js 18 or newer and npm: sudo apt-get install nodejs npm."
fi

packages=$({ cat package.json package-lock.json .npmrc; node --version; } | sha256sum | cut -d' ' -f1)
if [ "$(cat node_modules/.stamp 2>/dev/null || true)" != "$packages" ]; then
    say "Dashboard: installing pinned packages"
    npm ci --silent >&2 || stop "npm's packages cannot be installed: check the network, npm's settings and the free space, then run this again."
    printf '%s' "$packages" > node_modules/.stamp
fi
[ "${1:-}" != packages ] || exit 0

sources=$({ printf '%s' "$packages"; find src build.mjs index.html tsconfig.json -type f | LC_ALL=C sort | xargs sha256sum; } \
    | sha256sum | cut -d' ' -f1)
if [ "$(cat dist/.stamp 2>/dev/null || true)" = "$sources" ]; then
    exit 0
fi
say "Dashboard: building"
node_modules/.bin/tsc --noEmit || stop "the dashboard has type errors: see the lines above."
npm run --silent build || stop "the dashboard cannot be built: see the lines above."
printf '%s' "$sources" > dist/.stamp
