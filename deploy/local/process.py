"""One process that we started: watched while it comes up, ended by its own id, and never outliving us."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.places import Owner

PR_SET_PDEATHSIG = 1
TAIL_LINES = 12


def die_with_parent() -> None:
    """In the child, before it becomes the program: have the kernel end it when we die, however we die."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Process:
    """A program in a session of its own, so that Ctrl-C at the terminal reaches only us."""

    name: str
    command: list[str]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within_s: float = 60.0
    _running: "subprocess.Popen[bytes] | None" = None
    _log_start: int = 0

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            StackError: it ended, or was not ready in time; the end of its log is in the message.
        """
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it, from the main thread: the kernel ends it when the thread that started it ends."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        who = {} if self.owner is None else {"user": self.owner.uid, "group": self.owner.gid, "extra_groups": []}
        with self.log.open("ab") as out:
            self._running = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=die_with_parent,
                cwd="/",
                **who,  # type: ignore[call-overload]
            )

    def wait_until_ready(self) -> None:
        """Wait for what was launched.

        Raises:
            StackError: it ended, or was not ready in time; the end of its log is in the message.
        """
        deadline = time.monotonic() + self.ready_within_s
        while not self.ready():
            code = self.exit_code()
            if code is not None:
                raise StackError(
                    f"{self.name} ended at once (exit code {code}):\n{self.tail()}\nThe log is {self.log}."
                )
            if time.monotonic() > deadline:
                self.stop()
                raise StackError(f"{self.name} was not ready in {self.ready_within_s:.0f} s:\n{self.tail()}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._running is None:
            raise StackError(f"{self.name} was not started.")
        return self._running.pid

    def exit_code(self) -> int | None:
        """None while it runs or before it was started."""
        return None if self._running is None else self._running.poll()

    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def stop(self, grace_s: float = 20.0) -> None:
        """Ask it to end, and end it if it does not within the grace."""
        if self._running is None:
            return
        if self._running.poll() is None:
            self._running.send_signal(self.stop_signal)
        try:
            self._running.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._running = None

    def kill(self) -> None:
        """SIGKILL, as a power cut would; what it started itself goes with it as it notices."""
        if self._running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        self._running = None

    def said(self, text: bytes) -> bool:
        """Whether this run has written something to the log."""
        with self.log.open("rb") as lines:
            lines.seek(self._log_start)
            return text in lines.read()

    def tail(self) -> str:
        """The end of the log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        return "(no log)"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections at a port of 127.0.0.1."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def claim_port(port: int, what: str, setting: str) -> None:
    """Make sure that a port is ours to use.

    Raises:
        StackError: somebody listens there.
    """
    if listens(port):
        raise StackError(f"Port {port}, which {what} wants, is taken: stop what listens there, or {setting}.")
