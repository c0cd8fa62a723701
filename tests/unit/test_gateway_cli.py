"""The gateway's command line: what it takes, and what it says to what it cannot take."""

import base64
import datetime as dt
from pathlib import Path
from typing import Self

import click
import pytest
from nacl.signing import SigningKey

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.core.errors import ConfigurationError
from services.core.options import parse_speed
from services.core.times import DAY_US, HOUR_US, seoul_midnight_us
from services.gateway.cli import create_signing_key, parse_machines, replay_logs
from services.gateway.record import Record
from services.simulator.cli import SimulateOptions, find_progress, simulate

FIXTURES = Path(__file__).parents[1] / "fixtures" / "shdr"


def run(command: click.Command, *arguments: str) -> int:
    """Run a command; its errors are raised instead of reported."""
    return int(command.main(arguments, standalone_mode=False))


def options(*arguments: str) -> SimulateOptions:
    return SimulateOptions.of(simulate.make_context("simulate", list(arguments)))


REPLAY = ("--factory", "F1", "--gateway-id", "g", "--key-id", "k", "--private-key", "key")


def test_machines_have_files_in_the_order_given() -> None:
    assert parse_machines(["M01=b.gz,a.gz", "M02=c"]) == {"M01": [Path("b.gz"), Path("a.gz")], "M02": [Path("c")]}


def test_a_pattern_stands_for_its_files_by_name(tmp_path: Path) -> None:
    for name in ("2.gz", "1.gz", "x.txt"):
        (tmp_path / name).touch()
    assert parse_machines([f"M01={tmp_path}/*.gz"]) == {"M01": [tmp_path / "1.gz", tmp_path / "2.gz"]}


@pytest.mark.parametrize("texts", [["M01"], ["M01="], ["=a"], ["M 1=a"], ["M01=a", "M01=b"], ["M01=/nowhere/*.gz"]])
def test_what_names_no_machine_or_no_file_is_refused(texts: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        parse_machines(texts)


def test_speeds() -> None:
    assert parse_speed("max") is None
    assert parse_speed("60") == 60
    for text in ("0", "-1", "fast", "nan", "inf"):
        with pytest.raises(ConfigurationError):
            parse_speed(text)
    with pytest.raises(ConfigurationError):
        parse_speed("0.5", minimum=1)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon"])
@pytest.mark.parametrize(
    "option", ["--backfill-hours", "--backfill-days", "--duration", "--readings-every", "--trouble"]
)
def test_an_invalid_amount_is_rejected(option: str, text: str) -> None:
    with pytest.raises(click.BadParameter) as raised:
        run(simulate, f"{option}={text}")
    assert raised.value.format_message() == f"Invalid value for '{option}': {text!r} is not a number of at least 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--factories", "0"], "--factories must be"),
        (["--machines", "100"], "--machines"),
        (["--backfill-days", "4000"], "at most 3650 days"),
        (["--until", "yesterday"], "write RFC 3339"),
        (["--until", "2999-01-01T00:00:00Z"], "lies ahead"),
        (["--truth", "/nowhere/truth.json"], "there is no folder /nowhere"),
        (["--until", "2024-03-04T00:00:00Z", "--duration", "5"], "leave --duration"),
        (["--speed", "0.5"], "write a number"),
        (["--api-url", "http://127.0.0.1:1"], "needs an admin's key"),
    ],
)
def test_an_impossible_simulation_is_rejected_at_once(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JEJO_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=message):
        run(simulate, *arguments)


def test_days_of_history_begin_at_a_midnight_in_seoul() -> None:
    until = ("--until", "2024-03-04T09:30:00+09:00")
    midnight_us = seoul_midnight_us(dt.date(2024, 3, 1))
    later_us = midnight_us + 30 * DAY_US
    progress = find_progress(options("--backfill-days", "3", *until), lambda: later_us)
    assert (progress.begin_us, progress.history_end_us) == (midnight_us, midnight_us + 3 * DAY_US + 19 * HOUR_US // 2)
    progress = find_progress(options("--backfill-hours", "3", *until), lambda: later_us)
    assert progress.begin_us == progress.history_end_us - 3 * HOUR_US
    assert find_progress(options(), lambda: 3 * HOUR_US).begin_us == HOUR_US


def test_keygen_prints_the_public_key_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(create_signing_key, "--out", str(tmp_path / "key")) == 0
    assert len(capsys.readouterr().out) == 45


def test_a_shuffled_replay_has_no_clock(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="leave --speed out"):
        run(replay_logs, *REPLAY, "--machine", "M01=a", "--shuffle-seed", "1", "--speed", "60")


def test_a_log_that_is_not_there_is_said_before_kafka_is_looked_for(tmp_path: Path) -> None:
    run(create_signing_key, "--out", str(tmp_path / "key"))
    with pytest.raises(ConfigurationError, match=r"none\.gz cannot be read"):
        run(replay_logs, *REPLAY[:-1], str(tmp_path / "key"), "--machine", f"M01={tmp_path}/none.gz")


class KeepingSender:
    """Takes everything, sends nothing."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self.to = (bootstrap_servers, topic)
        self.records: list[Record] = []
        self.acknowledged = 0
        senders.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def send(self, record: Record) -> None:
        self.records.append(record)

    def flush(self) -> None:
        self.acknowledged = len(self.records)


senders: list[KeepingSender] = []


def test_a_replay_sends_signed_records_and_says_what_it_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("services.gateway.sender.Sender", KeepingSender)
    key = tmp_path / "key"
    key.write_text(base64.b64encode(bytes(32)).decode())
    machine = f"M01={FIXTURES / 'malformed.txt'}"
    arguments = (*REPLAY[:-1], str(key), "--machine", machine, "--duplicate", "--shuffle-seed", "1")
    assert run(replay_logs, *arguments, "--bootstrap-servers", "there:9092") == 0
    sender = senders.pop()
    assert sender.to == ("there:9092", "manufacturing.telemetry.v1")
    first, second = sender.records
    assert first == second
    headers = dict(first.headers)
    assert (first.key, headers[KEY_ID_HEADER]) == (b"F1", b"k")
    assert verify(first.value, headers[SIGNATURE_HEADER], bytes(SigningKey(bytes(32)).verify_key))
    out, err = capsys.readouterr()
    assert "M01: mazak, 13 lines (9 malformed, 0 of assets, 2 of protocol), 2 rows" in out
    assert out.endswith("F1: 2 records with 4 rows arrived\n")
    assert "M01: malformed: malformed.txt:2: a line is TIMESTAMP|key|value" in err


def test_a_fleet_is_registered_only_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEJO_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="JEJO_API_KEY"):
        run(simulate, "--api-url", "http://127.0.0.1:1", "--factories", "1")
