"""Performs actions on ingest, and checks the law: what was read is stored, exactly, whatever happened in between."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from services.ingest.settings import IngestSettings
from tests.faults.cuts import Cuts
from tests.faults.law import check_stored
from tests.faults.messages import HOUR_US, MINUTE_US, ORIGIN_US, Composer, Gateway
from tests.faults.model.actions import (
    WORKERS,
    Abort,
    Action,
    AddMachine,
    AddPartition,
    Assign,
    Garbage,
    Race,
    ReadAgain,
    ReplaceKey,
    Restart,
    Send,
    Take,
    Wait,
)
from tests.faults.model.database import ModelDatabase
from tests.faults.model.log import Log
from tests.faults.model.registry import Registry
from tests.faults.model.worker import ModelWorker
from tests.faults.reference import Outcome, outcome_of

START_US = ORIGIN_US + 24 * HOUR_US
FIRST_FACTORIES = (0, 0, 1)
"""The partition of each factory that is there from the beginning."""
MOST_PARTITIONS = 4
ROWS = 4
ROWS_PER_HOUR = 24
"""So few that a fifth record of a factory within an hour is over quota."""
READ_AT_ONCE = 50


class Play:
    """One run of the model, on an emptied database. All connections of ingest lead through the proxy."""

    def __init__(self, database: ModelDatabase, settings: IngestSettings, cuts: Cuts, happened: Counter[str]) -> None:
        self._database = database
        self._settings = settings
        self._cuts = cuts
        self._happened = happened
        self._log = Log(START_US)
        self._composer = Composer(0, ROWS, lambda: self._log.clock_us)
        self._registry = Registry(database.query)
        self._registry.registered.rows_per_hour = ROWS_PER_HOUR
        self._gateways: list[tuple[Gateway, int]] = []
        self._workers: list[ModelWorker] = []
        self._behind: dict[int, int] = {}

    def __enter__(self) -> "Play":
        self._database.empty()
        self._registry.open()
        for partition in FIRST_FACTORIES:
            self._add_factory(partition)
        self._workers += [self._new_worker(self._all_partitions()) for _ in range(WORKERS)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cuts.armed = None
        for worker in self._workers:
            worker.close()

    def perform(self, actions: Sequence[Action]) -> None:
        """Perform actions, and check the law after each one that may have written something."""
        for number, action in enumerate(actions):
            # What a record says depends on its place in the list alone, so that a shorter list fails in the same way.
            self._composer.random.seed(number)
            match action:
                case Send():
                    self._send(action)
                case Wait(minutes):
                    self._log.clock_us += minutes * MINUTE_US
                case Abort(partition, count):
                    self._log.append_nothing(self._partition(partition), count)
                case Garbage(partition, count):
                    self._log.append_unreadable(self._partition(partition), count)
                case AddMachine() | ReplaceKey() | AddPartition():
                    self._change_registry(action)
                case _:
                    self._disturb(action)
                    self.check()

    def finish(self) -> None:
        """Read everything that is left with one more worker, and check that nothing is missing."""
        worker = self._new_worker(self._all_partitions())
        self._workers.append(worker)
        while worker.hand_over((READ_AT_ONCE,)):
            worker.collect()
        ends = {partition: self._log.end(partition) for partition in self._all_partitions()}
        assert self._database.offsets() == ends
        outcome = self.check()
        self._happened["runs"] += 1
        self._happened["records"] += len(self._log.deliveries)
        self._happened["facts"] += len(outcome.facts)
        self._happened["other versions"] += len(outcome.aside)
        self._happened["refusals"] += len(outcome.letters)
        self._happened["of these over quota"] += list(outcome.letters.values()).count("over_quota")

    def check(self) -> Outcome:
        """Compare what is stored with what the reference makes of everything that was read, and return the latter.

        An offset that has moved back, other than by an operator, would not show in it: reading again changes nothing.
        """
        behind = self._database.behind()
        assert all(count <= self._behind.get(partition, 0) for partition, count in behind.items()), behind
        self._behind = behind
        read = self._log.before(self._database.read_to())
        outcome = outcome_of(read, self._registry.registered)
        check_stored(self._database.query, outcome)
        return outcome

    def _send(self, action: Send) -> None:
        gateway, partition = self._gateway(action.gateway)
        message = self._composer.compose(action.kind, gateway, action.earlier)
        for _ in range(action.copies):
            self._log.append(message, partition)

    def _change_registry(self, action: AddMachine | ReplaceKey | AddPartition) -> None:
        match action:
            case AddMachine(number):
                gateway, partition = self._gateway(number)
                machine_id = self._registry.add_machine(gateway.factory_id)
                self._log.append(self._composer.of_machine(gateway, machine_id), partition)
            case ReplaceKey(number):
                gateway, partition = self._gateway(number)
                self._gateways.append((self._registry.replace_key(gateway, self._log.clock_us), partition))
            case AddPartition() if len(self._log.partitions) < MOST_PARTITIONS:
                self._add_factory(len(self._log.partitions))

    def _disturb(self, action: Action) -> None:
        """Have workers work, fail, begin again, or find other offsets than they left."""
        match action:
            case Take(number, batches, cut):
                self._cuts.armed = cut
                worker = self._workers[number]
                for counts in batches:
                    worker.hand_over(counts)
                worker.collect()
                self._happened["connections cut"] += cut is not None and self._cuts.armed is None
                self._cuts.armed = None
            case Race(batches):
                for worker, counts in zip(self._workers, batches, strict=True):
                    worker.hand_over(counts)
                for worker in self._workers:
                    worker.collect()
            case Restart(number):
                self._workers[number].close()
                self._workers[number] = self._new_worker(self._workers[number].partitions)
            case Assign(number, partitions):
                self._workers[number].assign(frozenset(map(self._partition, partitions)))
            case ReadAgain(number, back):
                self._read_again(self._partition(number), back)

    def _read_again(self, partition: int, back: int) -> None:
        stored = self._database.offsets().get(partition)
        if stored is not None:
            bounds = self._log.bounds(frozenset({partition}))[partition]
            self._database.move_offset(partition, max(bounds.start, stored - back), bounds)
            self._behind = self._database.behind()
            self._happened["offsets moved back"] += 1

    def _add_factory(self, partition: int) -> None:
        """Register a factory, whose records all are in this partition."""
        while len(self._log.partitions) <= partition:
            self._log.partitions.append([])
        self._gateways.append((self._registry.add_factory(f"F{len(self._gateways)}"), partition))

    def _new_worker(self, partitions: frozenset[int]) -> ModelWorker:
        return ModelWorker(self._settings, self._log, partitions, self._happened)

    def _all_partitions(self) -> frozenset[int]:
        return frozenset(range(len(self._log.partitions)))

    def _partition(self, number: int) -> int:
        return number % len(self._log.partitions)

    def _gateway(self, number: int) -> tuple[Gateway, int]:
        return self._gateways[number % len(self._gateways)]
