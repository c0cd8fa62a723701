"""Reads Korea's public holidays from the PyPI package ``holidays``. Only `jejo holidays update` imports this."""

import holidays

from services.api.registry.holidays import Holiday

COUNTRY = "KR"


def public_holidays(first_year: int, last_year: int) -> list[Holiday]:
    """Returns the public holidays of these years in order, with the substitute and one-off ones that are known."""
    years = range(first_year, last_year + 1)
    korean, english = (
        holidays.country_holidays(COUNTRY, years=years, language=language) for language in ("ko", "en_US")
    )
    # Observed days may lie in the year after.
    days = sorted(day for day in korean if day.year in years)
    return [Holiday(day, korean[day], english[day]) for day in days]
