"""What holds for the parameters of every route: each is given once, but for those that add up."""

from collections import Counter

from fastapi import Request

from services.api.problems import unprocessable

REPEATABLE = ("scope", "kpi")


async def given_once(request: Request) -> None:
    """Refuse a parameter that is given twice, of which one value would be believed and the others passed over.

    Raises:
        Problem: 422.
    """
    counted = Counter(name for name, _ in request.query_params.multi_items() if name not in REPEATABLE)
    twice = [name for name, times in counted.items() if times > 1]
    if twice:
        raise unprocessable(f"Give {', '.join(twice)} once; only {' and '.join(REPEATABLE)} may be repeated.")
