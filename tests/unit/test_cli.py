"""The command line: help, completion, exit codes, and one sentence for every error."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from services.api.access.credentials import check_holder
from services.api.registry.things import Region
from services.cli import jejo, main
from services.core.errors import ConfigurationError

LISTED = {"analytics", "api", "dead-letters", "gateway", "ingest", "keys", "migrate", "offsets", "registry", "status"}


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))


@pytest.mark.parametrize(("path", "command"), list(commands(jejo)), ids=lambda value: str(value)[:40])
def test_every_command_and_option_has_help(
    path: tuple[str, ...], command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert re.fullmatch(r"[A-Z].*[.]", (command.help or "").strip(), re.DOTALL)
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []
    for option in ("--help", "-h"):
        assert main([*path, option]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: {' '.join(('jejo', *path))} ")


def test_the_list_of_commands_cuts_no_summary_short(capsys: pytest.CaptureFixture[str]) -> None:
    for path, command in commands(jejo):
        if isinstance(command, click.Group):
            main([*path, "--help"])
            assert "..." not in capsys.readouterr().out.split("\nCommands:\n")[1], path


@pytest.mark.parametrize(
    ("command", "reported"),
    [
        ("", "Missing command (see `jejo --help`)"),
        ("keys", "Missing command (see `jejo keys --help`)"),
        ("nonsense", "No such command 'nonsense'"),
        ("migrate --nonsense", "No such option '--nonsense'"),
        ("migrate now", "Got unexpected extra argument (now)"),
        ("keys create --role admin", "Missing option '--name'"),
        ("dead-letters list --limit -1", "write a whole number"),
        ("dead-letters list --limit １", "write a whole number"),
        ("dead-letters list --reason nonsense", "'nonsense' is not one of 'unreadable_batch', 'too_large'"),
        ("dead-letters show 99999999999999999999", "write a whole number"),
        ("dead-letters replay 1 x", "write a whole number"),
        ("keys login-link --role admin --name x --url jejo.example", "write http://HOST:PORT or https://HOST"),
        (
            "keys login-link --role admin --name x --valid-minutes 99999",
            "write whole minutes, from 1 to 10080 (a week)",
        ),
        ("gateway simulate --backfill-hours 2 --backfill-days 1", "not both"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(
    command: str, reported: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert reported in err
    assert re.fullmatch(r"jejo: .*\.\n", err)


def test_an_error_of_a_command_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "import", "x.csv", "--effective-from", "soon"]) == 2
    assert capsys.readouterr().err.startswith("jejo: Correct --effective-from: ")


def test_an_interrupted_command_ends_with_exit_code_130() -> None:
    # A process in a shell's background inherits SIGINT as ignored; a terminal's does not.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from services.cli import jejo, main; import sys, time\n"
    code += "@jejo.command('wait')\ndef wait():\n    print('waiting', flush=True)\n    time.sleep(60)\n"
    code += "sys.exit(main(['wait']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_help_loads_no_server_or_client() -> None:
    code = "import sys; from services.cli import main; main(['--help'])\n"
    code += "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "click" in loaded
    assert not loaded & {
        "asyncio",
        "asyncpg",
        "fastapi",
        "httpx",
        "kafka",
        "pydantic",
        "sqlalchemy",
        "uvicorn",
    }


def completions(words: str) -> set[str]:
    """Return the completions that bash is offered for the last of these words."""
    variables = {"_JEJO_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    code = "from services.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=variables)
    return {line.partition(",")[2] for line in done.stdout.splitlines()}


def test_a_shell_completes_commands_options_and_codes() -> None:
    assert completions("jejo ") >= LISTED
    assert completions("jejo dead-letters ") == {"list", "counts", "show", "replay"}
    assert completions("jejo gateway replay --dup") == {"--duplicate"}
    assert completions("jejo dead-letters list --reason bad_") == {"bad_json", "bad_schema", "bad_signature"}


def test_a_reader_needs_a_name_and_a_role_with_a_valid_region() -> None:
    for number in range(100):
        role = f"region:KR-{number:02}"
        if role.removeprefix("region:") in set(Region):
            check_holder(role, "x")
        else:
            with pytest.raises(ConfigurationError, match="No role"):
                check_holder(role, "x")
    with pytest.raises(ConfigurationError, match="name who holds it"):
        check_holder("admin", " ")
    for name in ("a\x00b", "a\nb", "\udcff"):
        with pytest.raises(ConfigurationError, match="can be printed"):
            check_holder("admin", name)
