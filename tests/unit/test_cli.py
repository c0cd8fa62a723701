"""The command line: every command says what it does, and words that make no sense are refused with a sentence."""

import argparse
import re
import socket
from collections.abc import Iterator

import pytest

from services.api.registry.bodies import Region
from services.cli import build_parser, main
from services.core.api_keys import check_reader
from services.core.errors import ConfigurationError


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser of every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield child
                yield from commands(child)


@pytest.mark.parametrize("parser", list(commands(build_parser())), ids=lambda parser: str(parser.prog))
def test_every_command_and_option_says_what_it_is(parser: argparse.ArgumentParser) -> None:
    assert parser.description
    assert re.fullmatch(r"[A-Z].*[.]", parser.description.strip(), re.DOTALL)
    unexplained = [a.option_strings for a in parser._actions if a.option_strings and not a.help and not a.metavar]
    assert unexplained == []
    parser.format_help()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("dead-letters list --limit -1", "write a whole number"),
        ("dead-letters list --reason nonsense", "invalid choice: 'nonsense'"),
        ("dead-letters show 99999999999999999999", "write a whole number"),
        ("dead-letters replay 1 x", "write a whole number"),
        ("keys login-link --role admin --name x --url jejo.example", "write http://HOST:PORT or https://HOST"),
    ],
)
def test_it_is_refused(command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_reader_has_a_name_and_a_role_of_a_region_that_there_is() -> None:
    for number in range(100):
        role = f"region:KR-{number:02}"
        if role.removeprefix("region:") in set(Region):
            check_reader(role, "x")
        else:
            with pytest.raises(ConfigurationError, match="No role"):
                check_reader(role, "x")
    with pytest.raises(ConfigurationError, match="name who holds it"):
        check_reader("admin", " ")
    for name in ("a\x00b", "a\nb", "\udcff"):
        with pytest.raises(ConfigurationError, match="can be printed"):
            check_reader("admin", name)


def test_an_address_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("JEJO_API_PORT", str(taken.getsockname()[1]))
        assert main(["api"]) == 2
    assert "set JEJO_API_PORT to another port" in capsys.readouterr().err.splitlines()[-1]
