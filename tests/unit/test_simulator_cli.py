"""The command `jejo gateway simulate`: what it accepts and rejects, and the history that it asks for."""

import datetime as dt

import click
import pytest

from services.cli import jejo
from services.core.errors import ConfigurationError
from services.core.times import DAY_US, HOUR_US, seoul_midnight_us
from services.simulator.cli import SimulateOptions, plan, simulate


def run(*arguments: str) -> int:
    """Run `jejo gateway simulate`; its errors are raised instead of reported."""
    return int(jejo.main(["gateway", "simulate", *arguments], prog_name="jejo", standalone_mode=False))


def options(*arguments: str) -> SimulateOptions:
    return SimulateOptions.of(
        simulate.make_context("simulate", list(arguments), click.Context(jejo, **jejo.context_settings))
    )


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon"])
@pytest.mark.parametrize(
    "option", ["--backfill-hours", "--backfill-days", "--duration", "--readings-every", "--trouble"]
)
def test_an_invalid_amount_is_rejected(option: str, text: str) -> None:
    with pytest.raises(click.BadParameter) as raised:
        run(f"{option}={text}")
    assert raised.value.format_message() == f"Invalid value for '{option}': {text!r} is not a number of at least 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--factories", "0"], "--factories must be"),
        (["--machines", "0"], "--machines 1 to 99"),
        (["--machines", "100"], "--machines 1 to 99"),
        (["--backfill-days", "4000"], "at most 3650 days"),
        (["--until", "yesterday"], "write RFC 3339"),
        (["--until", "2999-01-01T00:00:00Z"], "lies ahead"),
        (["--truth", "/nowhere/truth.json"], "there is no folder /nowhere"),
        (["--until", "2024-03-04T00:00:00Z", "--duration", "5"], "leave --duration"),
        (["--speed", "0.5"], "write a number"),
        (["--prepare", "records", "--duration", "5"], "leave --duration, --speed and --progress out"),
        (["--prepare", "records", "--speed", "60"], "leave --duration, --speed and --progress out"),
        (["--prepare", "records", "--progress", "p"], "leave --duration, --speed and --progress out"),
        (["--prepare", "/nowhere/records"], "/nowhere/records cannot be written"),
        (["--api-url", "http://127.0.0.1:1"], "needs an admin's key"),
    ],
)
def test_an_impossible_simulation_is_rejected_at_once(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JEJO_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=message):
        run(*arguments)


def test_days_of_history_begin_at_a_midnight_in_seoul() -> None:
    until = ("--until", "2024-03-04T09:30:00+09:00")
    midnight_us = seoul_midnight_us(dt.date(2024, 3, 1))
    later_us = midnight_us + 30 * DAY_US
    _, progress = plan(options("--backfill-days", "3", *until), lambda: later_us)
    assert (progress.begin_us, progress.history_end_us) == (midnight_us, midnight_us + 3 * DAY_US + 19 * HOUR_US // 2)
    _, progress = plan(options("--backfill-hours", "3", *until), lambda: later_us)
    assert progress.begin_us == progress.history_end_us - 3 * HOUR_US
    _, progress = plan(options(), lambda: 3 * HOUR_US)
    assert progress.begin_us == HOUR_US


def test_registering_needs_an_admins_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEJO_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="JEJO_API_KEY"):
        run("--api-url", "http://127.0.0.1:1", "--factories", "1")
