"""Whatever fails, and whenever: facts, dead letters, offsets and accounts are exact in the end. The short form."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.scenarios import SCENARIOS
from tests.faults.world import World, running_servers, running_world


class Worlds:
    """Gives one world to one test after the other, and a new one after a test that has failed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._servers = self._stack.enter_context(running_servers())
        self._current = ExitStack()
        self._world: World | None = None
        self._seed = 0

    def take(self) -> World:
        """Return the world, which counts as broken until it is given back."""
        world, self._world = self._world, None
        if world is None:
            self._current.close()
            self._seed += 1
            world = self._current.enter_context(running_world(self._servers, f"faults-{self._seed}", self._seed))
        return world

    def give_back(self, world: World) -> None:
        self._world = world

    def close(self) -> None:
        with self._stack:
            self._current.close()


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    found = Worlds()
    yield found
    found.close()


# kafka-python leaves the sockets of refused connections to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_doubled(worlds: Worlds, name: str) -> None:
    world = worlds.take()
    print(name, SCENARIOS[name](world))
    world.settle()
    worlds.give_back(world)
