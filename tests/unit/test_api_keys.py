"""Which roles and names keys and login links may have."""

import pytest

from services.api.access import parse_role
from services.api.registry.bodies import Region
from services.core.api_keys import check_name, check_role
from services.core.errors import ConfigurationError


def test_there_is_a_role_for_each_region_and_no_other() -> None:
    """A key for a region that there is not would see nothing, and nobody would know why."""
    found = []
    for number in range(100):
        try:
            check_role(f"region:KR-{number:02}")
        except ConfigurationError:
            continue
        found.append(f"KR-{number:02}")
    assert found == list(Region)
    assert [parse_role(f"region:{region}").subject for region in found] == found


@pytest.mark.parametrize("name", ["", " ", "a\x00b", "a\nb", "\udcff", "x" * 129])
def test_a_name_that_no_list_can_show_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="write 1 to 128 printable characters"):
        check_name(name)


@pytest.mark.parametrize("name", ["x", "경상남도 홍길동", "test factory:F1", "x" * 128])
def test_other_names_are_welcome(name: str) -> None:
    check_name(name)
