#!/bin/sh
# Makes .venv below the clone, with everything pinned and checked. Says what is missing; as root on Debian, installs it.
# `setup.sh tests` also wants the programs that only tests run.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }
stop() { say "jejo: $*"; exit 1; }
INSTEAD="or use Docker (deploy/), or point JEJO_DATABASE_URL and JEJO_KAFKA_BOOTSTRAP_SERVERS at servers of your own"

[ "$(uname -s)" = Linux ] || stop "the local stack runs on Linux only; run it there, $INSTEAD."

usable_python() {
    for candidate in /usr/bin/python3 python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    return 1
}
java_is_new_enough() {
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] && [ "$version" -ge 17 ]
}
node_is_new_enough() {
    version=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
    [ -n "$version" ] && [ "$version" -ge 18 ]
}

missing=""
usable_python >/dev/null || missing="$missing python3 python3-venv"
if [ -z "${JEJO_KAFKA_BOOTSTRAP_SERVERS:-}" ]; then
    java_is_new_enough || missing="$missing openjdk-17-jre-headless"
    command -v mvn >/dev/null 2>&1 || missing="$missing maven"
fi
node_is_new_enough || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ "${1:-}" = tests ]; then
    for program in kcat curl openssl chromium; do
        command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
    done
    [ -n "$(fc-list :lang=ko 2>/dev/null)" ] || missing="$missing fonts-noto-cjk fontconfig"
fi
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || stop "please install:$missing (this system has no apt-get), $INSTEAD."
    if [ "$(id -u)" = 0 ]; then
        say "Installing what is missing from Debian's packages:$missing"
        # shellcheck disable=SC2086
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >&2 \
            || stop "Debian's packages cannot be reached: check the network, then run this again."
    else
        stop "please have this run once: sudo apt-get install$missing"
    fi
fi
python=$(usable_python) || stop "Python 3.11 or newer with venv is needed: install python3 and python3-venv, $INSTEAD."

stamp=$({ cat requirements/dev.txt pyproject.toml; "$python" -V; pwd; } | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/.stamp 2>/dev/null || true)" = "$stamp" ]; then
    exit 0
fi
say "Python: making .venv"
rm -rf .venv
"$python" -m venv .venv || stop "the folder $(pwd)/.venv cannot be made: free some space, or clone where you may write."
say "Python: installing pinned packages"
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt >&2 \
    || stop "the Python packages cannot be had: check the network, pip's settings and the free space, then run this again."
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . >&2 \
    || stop "jejo itself cannot be installed into .venv: see the lines above."
printf '%s' "$stamp" > .venv/.stamp
