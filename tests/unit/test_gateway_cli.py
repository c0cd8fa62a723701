"""The gateway's command line: what it accepts, prints and rejects."""

import base64
from pathlib import Path
from typing import Self

import pytest
from nacl.signing import SigningKey

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.cli import jejo
from services.core.errors import ConfigurationError
from services.gateway.cli import parse_machines
from services.gateway.records import Record

FIXTURES = Path(__file__).parents[1] / "fixtures" / "shdr"

REPLAY = ("replay", "--factory", "F1", "--gateway-id", "g", "--key-id", "k", "--private-key", "key")


def run(*arguments: str) -> int:
    """Run a command of `jejo gateway`; its errors are raised instead of reported."""
    return int(jejo.main(["gateway", *arguments], prog_name="jejo", standalone_mode=False))


def test_a_machines_files_keep_their_order() -> None:
    assert parse_machines(["M01=b.gz,a.gz", "M02=c"]) == {"M01": [Path("b.gz"), Path("a.gz")], "M02": [Path("c")]}


def test_a_pattern_expands_to_the_files_that_it_matches_by_name(tmp_path: Path) -> None:
    for name in ("2.gz", "1.gz", "x.txt"):
        (tmp_path / name).touch()
    assert parse_machines([f"M01={tmp_path}/*.gz"]) == {"M01": [tmp_path / "1.gz", tmp_path / "2.gz"]}


@pytest.mark.parametrize("texts", [["M01"], ["M01="], ["=a"], ["M 1=a"], ["M01=a", "M01=b"], ["M01=/nowhere/*.gz"]])
def test_an_argument_without_a_valid_machine_or_file_is_rejected(texts: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        parse_machines(texts)


def test_keygen_prints_the_public_key_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("keygen", "--out", str(tmp_path / "key")) == 0
    assert len(capsys.readouterr().out) == 45


def test_shuffling_and_a_speed_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="leave --speed out"):
        run(*REPLAY, "--machine", "M01=a", "--shuffle-seed", "1", "--speed", "60")


def test_a_missing_log_is_reported_before_connecting_to_kafka(tmp_path: Path) -> None:
    run("keygen", "--out", str(tmp_path / "key"))
    with pytest.raises(ConfigurationError, match=r"none\.gz cannot be read"):
        run(*REPLAY[:-1], str(tmp_path / "key"), "--machine", f"M01={tmp_path}/none.gz")


class KeepingSender:
    """Keeps what it is given to send."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self.target = (bootstrap_servers, topic)
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


def test_a_replay_sends_signed_records_and_reports_what_it_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("services.gateway.sender.Sender", KeepingSender)
    key = tmp_path / "key"
    key.write_text(base64.b64encode(bytes(32)).decode())
    machine = f"M01={FIXTURES / 'malformed.txt'}"
    arguments = (*REPLAY[:-1], str(key), "--machine", machine, "--duplicate", "--shuffle-seed", "1")
    assert run(*arguments, "--bootstrap-servers", "there:9092") == 0
    sender = senders.pop()
    assert sender.target == ("there:9092", "manufacturing.telemetry.v1")
    first, second = sender.records
    assert first == second
    headers = dict(first.headers)
    assert (first.key, headers[KEY_ID_HEADER]) == (b"F1", b"k")
    assert verify(first.value, headers[SIGNATURE_HEADER], bytes(SigningKey(bytes(32)).verify_key))
    out, err = capsys.readouterr()
    assert "M01: mazak, 13 lines (9 malformed, 0 of assets, 2 of protocol), 2 rows" in out
    assert out.endswith("F1: 2 records with 4 rows arrived\n")
    assert "M01: malformed: malformed.txt:2: a line is TIMESTAMP|key|value" in err
