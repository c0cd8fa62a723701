"""Options that several commands share."""

import pytest

from services.core.errors import ConfigurationError
from services.core.options import parse_speed


def test_a_speed_is_a_positive_number_or_max() -> None:
    assert parse_speed("max") is None
    assert parse_speed("60") == 60
    for text in ("0", "-1", "fast", "nan", "inf"):
        with pytest.raises(ConfigurationError):
            parse_speed(text)
    with pytest.raises(ConfigurationError):
        parse_speed("0.5", minimum=1)
