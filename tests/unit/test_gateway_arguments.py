"""The arguments of `jejo gateway replay`."""

from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from services.gateway.arguments import parse_device_names, parse_ideal_cycles, parse_machines

TWO = ["M01", "M02"]


def test_a_machines_files_keep_their_order() -> None:
    assert parse_machines(["M01=b.gz,a.gz", "M02=c"]) == {"M01": [Path("b.gz"), Path("a.gz")], "M02": [Path("c")]}


def test_a_pattern_expands_to_the_files_that_it_matches_by_name(tmp_path: Path) -> None:
    for name in ("2.gz", "1.gz", "x.txt"):
        (tmp_path / name).touch()
    assert parse_machines([f"M01={tmp_path}/*.gz"]) == {"M01": [tmp_path / "1.gz", tmp_path / "2.gz"]}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["M01"], r"--machine M01 names no file that exists: write ID=FILE"),
        (["M01="], "names no file"),
        (["M01=,"], "names no file"),
        (["M01=/nowhere/*.gz"], "names no file"),
        (["=a"], "--machine '' is not an id"),
        (["M 1=a"], "--machine 'M 1' is not an id"),
        (["M01=a", "M01=b"], "--machine M01 is given twice: give all of its files at once"),
    ],
)
def test_an_argument_without_a_valid_machine_or_file_is_rejected(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_machines(texts)


@pytest.mark.parametrize(
    ("texts", "machines", "names"),
    [
        ([], TWO, {}),
        (["VMC1"], ["M01"], {"M01": "VMC1"}),
        (["M01=VMC1"], TWO, {"M01": "VMC1"}),
        (["M02=B", "M01=A"], TWO, {"M01": "A", "M02": "B"}),
    ],
)
def test_a_device_is_of_one_machine(texts: list[str], machines: list[str], names: dict[str, str]) -> None:
    assert parse_device_names(texts, machines) == names


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["VMC1"], "--device VMC1: write MACHINE=VALUE, as there are several machines"),
        (["M03=VMC1"], "--device M03=VMC1: no logs of the machine M03 are given with --machine"),
        (["M01=A", "M01=B"], "--device is given twice for M01"),
    ],
)
def test_a_device_of_no_machine_or_two_is_rejected(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_device_names(texts, TWO)


@pytest.mark.parametrize(
    ("texts", "cycles"),
    [
        ([], {}),
        (["90"], {"": 90_000_000}),
        (["M01=0.5"], {"M01": 500_000}),
        (["M01=1e-6", "M02=2"], {"M01": 1, "M02": 2_000_000}),
    ],
)
def test_an_ideal_cycle_is_of_one_machine_or_of_all(texts: list[str], cycles: dict[str, int]) -> None:
    assert parse_ideal_cycles(texts, TWO) == cycles


@pytest.mark.parametrize("text", ["0", "-1", "ten", "", "nan", "inf", "-inf", "1e-7", "M01="])
def test_an_ideal_cycle_that_is_not_a_number_above_0_is_rejected(text: str) -> None:
    with pytest.raises(ConfigurationError, match="write the seconds that a piece takes at least"):
        parse_ideal_cycles([text], TWO)


@pytest.mark.parametrize(("texts", "whose"), [(["M01=60", "M01=30"], "M01"), (["60", "30"], "every machine")])
def test_an_ideal_cycle_is_given_once(texts: list[str], whose: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--ideal-cycle-s is given twice for {whose}: give it once"):
        parse_ideal_cycles(texts, TWO)


def test_a_machines_own_ideal_cycle_goes_before_that_of_all() -> None:
    assert parse_ideal_cycles(["60", "M01=30"], TWO) == {"": 60_000_000, "M01": 30_000_000}
