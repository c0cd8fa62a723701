"""Names as they are registered: in NFC, without white space around them, and never blank."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.api.registry.fields import normalise_name
from services.api.registry.models import (
    EnterprisePut,
    FactoryPut,
    MachinePut,
    SponsorPut,
    ZonePut,
)

characters = st.characters(codec="utf-8", exclude_characters="\0")
HANGUL = "\ud55c\ube5b\uc815\ubc00"
WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
OF_FACTORY = {"enterprise_id": "E1", "region": "KR-48", "sector": "C29", "level": "basic"}
OF_MACHINE = {"kind": "mill", "automation": "manual", "in_use_from": "2016-01-01"}


@given(st.text(characters, max_size=12), st.sampled_from(["NFC", "NFD"]), st.text(WHITE_SPACE, max_size=3))
@example(HANGUL, "NFD", "\u3000")
@example("A\u030angstro\u0308m", "NFD", " ")
def test_a_name_is_the_same_however_it_is_composed_and_padded(name: str, form: str, around: str) -> None:
    try:
        expected = normalise_name(name)
    except ValueError:
        return
    assert isinstance(expected, str)
    assert unicodedata.is_normalized("NFC", expected)
    assert expected == expected.strip()
    written = around + unicodedata.normalize(form, name) + around  # type: ignore[arg-type]
    if name:
        assert normalise_name(written) == expected
    assert normalise_name(expected) == expected


@pytest.mark.parametrize(
    "blank", [" ", "   ", "\t", "\u3000", "\u00a0", "\u200b", "\ufeff", "\u3164", "\u115f\u1160", "\u2800 "]
)
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (EnterprisePut, {}),
        (ZonePut, {"region": "KR-48"}),
        (SponsorPut, {}),
        (FactoryPut, OF_FACTORY),
        (MachinePut, OF_MACHINE),
    ],
)
def test_a_blank_name_is_refused(
    body: "type[EnterprisePut | ZonePut | SponsorPut | FactoryPut | MachinePut]", fields: dict[str, str], blank: str
) -> None:
    assert body.model_validate({**fields, "name": f" {HANGUL} "}).name == HANGUL
    with pytest.raises(ValueError, match="write a name that is not blank"):
        body.model_validate({**fields, "name": blank})


def test_a_name_is_as_long_as_it_is_registered() -> None:
    decomposed = unicodedata.normalize("NFD", "\ud55c" * 128)
    assert len(decomposed) == 384
    assert EnterprisePut.model_validate({"name": f"  {decomposed}  "}).name == "\ud55c" * 128
    with pytest.raises(ValueError, match="at most 128"):
        EnterprisePut.model_validate({"name": decomposed + "\ud55c"})
