"""Runs the model: Hypothesis draws what happens, and shrinks what breaks the law."""

from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyFailure

from services.ingest.settings import IngestSettings
from tests.faults.cuts import Cuts
from tests.faults.model.actions import Action, scenarios
from tests.faults.model.database import ModelDatabase
from tests.faults.model.play import ROWS_PER_HOUR, Play
from tests.faults.proxy import proxy_of
from tests.servers import PostgresServer

SHARED_LETTERS = 2
"""So few that many are only counted."""


def run_model(server: PostgresServer, database_url: str, *, examples: int, number: int) -> dict[str, int]:
    """Run the model with drawn actions, on a migrated database of its own.

    Args:
        examples: how many lists of actions are drawn.
        number: the seed, which decides what is drawn.

    Returns:
        What happened how often.

    Raises:
        AssertionError: the law was broken; a note of the error has the shortest list of actions found that breaks it.
    """
    happened: Counter[str] = Counter()
    database = ModelDatabase(database_url)
    try:
        cuts = Cuts()
        with proxy_of(server, cuts.watch) as proxy:
            ingest = IngestSettings(
                database_url=database_url.replace(f":{server.port}/", f":{proxy.port}/"),
                quota_rows_per_hour=ROWS_PER_HOUR,
                dead_letter_shared_letters_per_hour=SHARED_LETTERS,
            )

            @seed(number)
            @settings(
                max_examples=examples,
                derandomize=False,
                database=None,
                deadline=None,
                report_multiple_bugs=False,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            )
            @given(scenarios)
            def the_law_holds(what_happens: list[list[list[Action]]]) -> None:
                with Play(database, ingest, cuts, happened) as play:
                    play.perform([action for scene in what_happens for turn in scene for action in turn])
                    play.finish()

            the_law_holds()
    except FlakyFailure as error:
        # In a race, who wins is not drawn.
        raise AssertionError(f"The law was broken, if not every time: {error.exceptions}") from error
    finally:
        database.close()
    return dict(happened)
