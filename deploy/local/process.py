"""A child process: started, monitored until it is ready, and stopped at the latest when this process ends."""

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
    """Have the kernel send SIGTERM to this process when its parent dies. Runs in the child before the program does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Process:
    """A program in a session of its own, so that Ctrl-C at the terminal does not reach it.

    ``ready`` returns whether it is ready; ``owner`` is the user that it runs as, if not the current one.
    """

    name: str
    command: list[str]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    ready_timeout_s: float = 60.0
    _running: "subprocess.Popen[bytes] | None" = None
    _log_start: int = 0

    def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            StackError: it exited, or was not ready in time; the message has the end of its log.
        """
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the process without waiting.

        Call this from the main thread: the kernel terminates the process when the thread that started it ends.
        """
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
        """Wait until the launched process is ready.

        Raises:
            StackError: it exited, or was not ready in time; the message has the end of its log.
        """
        deadline = time.monotonic() + self.ready_timeout_s
        while not self.ready():
            code = self.exit_code()
            if code is not None:
                raise StackError(f"{self.name} exited with code {code}:\n{self.tail()}\nThe log is {self.log}.")
            if time.monotonic() > deadline:
                self.stop()
                raise StackError(f"{self.name} was not ready within {self.ready_timeout_s:.0f} s:\n{self.tail()}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The id of the running process.

        Raises:
            StackError: it was not started, or was stopped.
        """
        if self._running is None:
            raise StackError(f"{self.name} is not running: start it first.")
        return self._running.pid

    def exit_code(self) -> int | None:
        """Return the exit code; None while the process runs, before it was started, and after it was stopped."""
        return None if self._running is None else self._running.poll()

    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def stop(self, grace_s: float = 20.0) -> None:
        """Send the stop signal, and kill the process if it has not exited within ``grace_s`` seconds."""
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
        """Send SIGKILL to the process and its process group."""
        if self._running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        self._running = None

    def log_contains(self, text: bytes) -> bool:
        """Return whether the log has a text since the process was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return text in log.read()

    def tail(self) -> str:
        """Return the last lines of the log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        return "(no log)"


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Return whether a port of 127.0.0.1 accepts connections."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def require_free_port(port: int, what: str, setting: str) -> None:
    """Check that a port is free.

    Args:
        what: needs the port.
        setting: how to use another one, for the error message.

    Raises:
        StackError: the port is in use.
    """
    if listens(port):
        raise StackError(f"Port {port}, which {what} needs, is in use: stop the program there, or {setting}.")
