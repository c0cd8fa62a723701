"""The gateway's command line: what it accepts, prints and rejects."""

import base64
from pathlib import Path
from typing import Self

import pytest
from nacl.signing import SigningKey

from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.cli import jejo, main
from services.core.errors import ConfigurationError
from services.gateway.cli import DIALECT_NAMES
from services.gateway.mtconnect.dialects import DIALECTS
from services.gateway.records import Record
from tests.shdr_cases.devices import FULL

FIXTURES = Path(__file__).parents[1] / "fixtures" / "shdr"
DEVICES = Path(__file__).parents[1] / "fixtures" / "devices" / "vmc1.xml"

REPLAY = ("replay", "--factory", "F1", "--gateway-id", "g", "--key-id", "k", "--private-key", "key")


def run(*arguments: str) -> int:
    """Run a command of `jejo gateway`; its errors are raised instead of reported."""
    return int(jejo.main(["gateway", *arguments], prog_name="jejo", standalone_mode=False))


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
    assert "M01: mazak, 13 lines (6 not read, 0 of assets, 2 of protocol, 0 of other devices), 4 rows" in out
    assert out.endswith("F1: 2 records with 8 rows arrived\n")
    assert "M01: invalid timestamp (5 times): malformed.txt:2:1: '2024' is no whole instant, or counts" in err
    assert "M01: value without a key (once): malformed.txt:9:26: |ACTIVE. It is skipped." in err


def dry_run(log: str, folder: Path, *options: str) -> int:
    """Show what a log would send; the exit code."""
    (folder / "log").write_text(log)
    return main(["gateway", "replay", "--dry-run", "--machine", f"M01={folder / 'log'}", *options])


LOG = """2024-03-04T08:00:00Z|execution|READY|mode|AUTOMATIC|PartCountAct|5
2024-03-04T08:00:30Z|execution|ACTIVE|Srpm|1200
2024-03-04T08:01:00Z|PartCountAct|7
"""


def test_a_dry_run_prints_the_rows_with_their_lines_and_needs_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(LOG, tmp_path) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "log:1: M01 2024-03-04T08:00:00Z state idle mode=automatic reason=READY",
        "log:2: M01 2024-03-04T08:00:30Z state producing mode=automatic",
        "log:2: M01 2024-03-04T08:00:30Z reading spindle_speed_rpm 1200.0",
        "log:3: M01 2024-03-04T08:01:00Z state producing mode=automatic",
        "log:3: M01 2024-03-04T08:01:00Z count good=2 scrap=0",
        "M01: mazak, 3 lines (0 not read, 0 of assets, 0 of protocol, 0 of other devices), 5 rows",
    ]
    assert err == ""


def test_readings_may_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(LOG, tmp_path, "--readings", "none") == 0
    assert " reading " not in capsys.readouterr().out


def test_an_ideal_cycle_limits_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(LOG, tmp_path, "--ideal-cycle-s", "M01=600") == 0
    out, err = capsys.readouterr()
    assert " count " not in out
    assert err.startswith("M01: more parts than the ideal cycle allows (once): log:3: PartCountAct=7.")


def test_a_device_model_is_read_and_its_device_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(LOG, tmp_path, "--devices", str(DEVICES), "--device", "M01=VMC1") == 0
    out, err = capsys.readouterr()
    assert "M01: VMC1, 3 lines" in out
    assert err == ""


@pytest.mark.parametrize(("units", "celsius"), [((), 100.0), (("--units=native",), 100.0), (("--units=model",), 212.0)])
def test_numbers_are_in_the_machines_units_or_the_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], units: tuple[str, ...], celsius: float
) -> None:
    (tmp_path / "Devices.xml").write_text(FULL)
    log = "2024-03-04T08:00:00Z|execution|READY|Stemp|212\n"
    assert dry_run(log, tmp_path, "--devices", str(tmp_path / "Devices.xml"), *units) == 0
    assert f"temperature_c {celsius}\n" in capsys.readouterr().out


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_every_ready_made_model_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str], dialect: str) -> None:
    execution = {"mazak": "execution", "hurco": "Program_Status", "okuma": "pexecution"}[dialect]
    assert set(DIALECT_NAMES) == set(DIALECTS)
    assert dry_run(f"2024-03-04T08:00:00Z|{execution}|READY\n", tmp_path, "--dialect", dialect) == 0
    assert f"M01: {dialect}, 1 lines" in capsys.readouterr().out


def test_nothing_to_send_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run("2024-03-04T08:00:00Z|avail|AVAILABLE\n", tmp_path, "--devices", str(DEVICES)) == 2
    out, err = capsys.readouterr()
    assert out.startswith("M01: VMC1, 1 lines")
    assert err.splitlines()[-1].endswith(
        "The logs give nothing to send: see the report above, and check the device model."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--devices", str(DEVICES), "--dialect", "mazak"), "--dialect is for logs without a device model"),
        (("--devices", "/nowhere/Devices.xml"), "The device model /nowhere/Devices.xml cannot be read (No such file"),
        (("--devices", str(DEVICES), "--device", "VMC9"), "The device model has no device VMC9, but VMC1"),
        (("--device", "M02=VMC1"), "no logs of the machine M02 are given with --machine"),
        (("--reassert-s", "0"), "--reassert-s must be at least 1"),
        (("--ideal-cycle-s", "0"), "write the seconds that a piece takes at least"),
        (("--dialect", "fanuc"), "'fanuc' is not one of 'mazak', 'hurco', 'okuma'"),
        (("--units", "inch"), "'inch' is not one of 'native', 'model'"),
    ],
)
def test_an_option_that_does_not_fit_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    assert dry_run(LOG, tmp_path, *options) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


@pytest.mark.parametrize("missing", ["--factory", "--gateway-id", "--key-id", "--private-key"])
def test_what_is_needed_to_send_is_named(missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = REPLAY.index(missing)
    given = (*REPLAY[:place], *REPLAY[place + 2 :])
    assert main(["gateway", *given, "--machine", "M01=log"]) == 2
    assert "To send, --factory, --gateway-id, --key-id and --private-key are needed; to look only, --dry-run." in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(("option", "value"), [("--factory", "F 1"), ("--gateway-id", ""), ("--key-id", "k/1")])
def test_an_invalid_id_is_named(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = list(REPLAY)
    given[given.index(option) + 1] = value
    assert main(["gateway", *given, "--machine", "M01=log"]) == 2
    assert f"{option} {value!r} is not an id" in capsys.readouterr().err
