#!/bin/sh
# Creates .venv in the clone, with pinned and verified packages. Reports missing programs, or installs them as root on Debian.
# `setup.sh tests` also requires the programs that only tests use.
set -eu
cd "$(dirname "$0")/../.."

print_progress() { printf '%s\n' "$*" >&2; }
fail() { print_progress "jejo: $*"; exit 1; }
ALTERNATIVES="or use Docker (deploy/), or point JEJO_DATABASE_URL and JEJO_KAFKA_BOOTSTRAP_SERVERS at servers of your own"

[ "$(uname -s)" = Linux ] || fail "the local stack runs on Linux only; use a Linux machine, $ALTERNATIVES."

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
    command -v apt-get >/dev/null 2>&1 || fail "please install:$missing (this system has no apt-get), $ALTERNATIVES."
    if [ "$(id -u)" = 0 ]; then
        print_progress "Installing missing Debian packages:$missing"
        # shellcheck disable=SC2086
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >&2 \
            || fail "Debian's packages cannot be reached: check the network, then run this again."
    else
        fail "packages are missing; run this once: sudo apt-get install$missing"
    fi
fi
python=$(usable_python) || fail "Python 3.11 or newer with venv is required: install python3 and python3-venv, $ALTERNATIVES."

stamp=$({ cat requirements/dev.txt pyproject.toml; "$python" -V; pwd; } | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/.stamp 2>/dev/null || true)" = "$stamp" ]; then
    exit 0
fi
print_progress "Python: creating .venv"
rm -rf .venv
"$python" -m venv .venv || fail "the folder $(pwd)/.venv cannot be created: free some space, or clone into a writable folder."
print_progress "Python: installing pinned packages"
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt >&2 \
    || fail "the Python packages cannot be installed: check the network, pip's settings and free disk space, then run this again."
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . >&2 \
    || fail "jejo itself cannot be installed into .venv: see the lines above."
printf '%s' "$stamp" > .venv/.stamp
