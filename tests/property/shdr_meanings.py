"""What a machine may report at an instant, whichever way it is written, and histories of it."""

from dataclasses import dataclass
from random import Random

from tests.property.shdr_devices import Device, Item, Kind

BEGAN_US = 1_709_539_200_000_000
SECOND_US = 1_000_000
GAPS_US = (1, 999, 10**5, SECOND_US, 59 * SECOND_US, 61 * SECOND_US, 601 * SECOND_US, 3600 * SECOND_US)
AGES_US = (1, SECOND_US, 59 * SECOND_US, 61 * SECOND_US, 3600 * SECOND_US, 86_401 * SECOND_US, 10**8 * SECOND_US)

WORDS = {
    Kind.EXECUTION: (
        *("ACTIVE", "ACTIVE", "ACTIVE", "READY", "STOPPED", "FEED_HOLD", "INTERRUPTED", "WAIT", "OPTIONAL_STOP"),
        *("PROGRAM_STOPPED", "PROGRAM_COMPLETED", "PROGRAM_OPTIONAL_STOP"),
    ),
    Kind.MODE: ("AUTOMATIC", "SEMI_AUTOMATIC", "MANUAL", "MANUAL_DATA_INPUT", "EDIT"),
    Kind.FUNCTIONAL_MODE: ("PRODUCTION", "SETUP", "TEARDOWN", "MAINTENANCE", "PROCESS_DEVELOPMENT"),
    Kind.AVAILABILITY: ("AVAILABLE",),
    Kind.ESTOP: ("ARMED", "TRIGGERED"),
}
TEXTS = (
    *("O1234", "O77.NC", "410", "(OP 10 | ROUGH)", "a\\|b", 'say "hi"', '"whole"', "C:\\NC\\", "끝단 가공", "쩔쩔"),
    *(
        "*",
        "@x",
        "a:b",
        "ACTIVE",
        "FAULT",
        "UNAVAILABLE now",
        "-",
        "2024-03-04T08:00:00Z",
        "a\u0301",
        "x" * 200,
        "\x07!",
    ),
)
LEVELS = ("NORMAL", "NORMAL", "WARNING", "FAULT", "FAULT", "FAULT", "UNAVAILABLE")
CODES = ("", "410", "411", "E\u20114", "a|b")


@dataclass(frozen=True, slots=True)
class Total:
    """The total of a part counter, and what reset it, if it says that it was reset."""

    total: int
    trigger: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a condition. ``id`` differs from the code if the log gives conditions ids."""

    level: str
    code: str = ""
    id: str = ""
    severity: str = ""
    qualifier: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """That an item had a value: a word or a text, a number in the machine's own unit, or whatever its kind needs.

    None is UNAVAILABLE. Of kinds that nothing is derived from, the value is the fields as they are written.
    """

    item: Item
    value: str | float | Total | Change | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Moment:
    """What was reported at one instant, in microseconds since the epoch, in its order."""

    at_us: int
    meanings: tuple[Meaning, ...]


class Teller:
    """Makes up values of a device's items."""

    def __init__(self, rng: Random, device: Device) -> None:
        self._rng = rng
        self._device = device
        self._totals: dict[str, int] = {}
        self._baselines = 0

    def tell(self, item: Item) -> Meaning:
        """Make up what an item reports next."""
        rng = self._rng
        if item.kind is not Kind.COUNTER and rng.random() < 0.1:
            return unavailable(item)
        match item.kind:
            case Kind.COUNTER:
                return Meaning(item, self._total(item))
            case Kind.EACH:
                return Meaning(item, Total(rng.randrange(4)))
            case Kind.NUMBER:
                return Meaning(item, rng.choice((0.0, -1.5, 37.25, 1e-7, 2.5e10, float(rng.randrange(1000)))))
            case Kind.CONDITION:
                return Meaning(item, self._change())
            case Kind.MESSAGE | Kind.ASSET_EVENT:
                return Meaning(item, (rng.choice(("", "12", "A|B")), self._text()))
            case Kind.ALARM:
                return Meaning(item, ("OTHER", self._text(), "WARNING", "ACTIVE", self._text()))
            case Kind.TIME_SERIES:
                return Meaning(item, rng.choice((("3", "100", "1 2 3"), ("2", "", "-1.5 2e3"), ("1", "9", "7"))))
            case Kind.DATA_SET:
                return Meaning(item, (rng.choice(("a=1 b=2", "a={x=1 y='2|3'}", ":RESET a=1", 'a="x y"')),))
            case Kind.VECTOR:
                return Meaning(item, ("1.0 -2.5 3e2",))
            case Kind.UNKNOWN:
                return Meaning(item, (rng.choice(("1", "x", "ACTIVE", "a|b")),))
            case Kind.PROGRAM | Kind.TEXT:
                return Meaning(item, self._text())
        return Meaning(item, rng.choice(WORDS[item.kind]))

    def _text(self) -> str:
        """Make up a text, which may happen to be the key of an item."""
        rng = self._rng
        return rng.choice(rng.choice(self._device.items).keys) if rng.random() < 0.3 else rng.choice(TEXTS)

    def _change(self) -> Change:
        rng = self._rng
        code, level = rng.choice(CODES), rng.choice(LEVELS)
        if code and not self._device.has_condition_ids:
            code += rng.choice(("", "", ":7"))
        id = f"i{rng.randrange(3)}" if code and self._device.has_condition_ids and rng.random() < 0.5 else code
        if rng.random() < 0.4:
            return Change(level, code, id)
        key = rng.choice(rng.choice(self._device.items).keys)
        if level in ("WARNING", "FAULT") and ":" not in key and rng.random() < 0.2:
            return Change(level, key, key, text=self._text())
        return Change(level, code, id, rng.choice(("", "HIGH", "1")), rng.choice(("", "LOW")), rng.choice(("", *TEXTS)))

    def _total(self, item: Item) -> Total | None:
        """Make up a total that no reader could take for a mistake of the counter.

        Rises are small. A total falls without saying so only from 1,000 or more, so that it cannot rise back to where
        it fell from within the history; and the first total after UNAVAILABLE is far above those before.
        """
        rng, last = self._rng, self._totals.get(item.id)
        choice = rng.random()
        if last is None:
            self._baselines += 10_000
            self._totals[item.id] = self._baselines + rng.randrange(10)
            return Total(self._totals[item.id])
        if choice < 0.1:
            del self._totals[item.id]
            return None
        if choice < 0.2:
            self._totals[item.id] = rng.choice((0, 0, 3))
            return Total(self._totals[item.id], rng.choice(("DAY", "SHIFT")))
        if choice < 0.3 and last >= 1000:
            self._totals[item.id] = rng.choice((0, 0, 3))
        else:
            self._totals[item.id] = last + rng.choice((0, 1, 1, 2, 10))
        return Total(self._totals[item.id])


UNKNOWN_KEYS = ("Xdebug", "새키", "z|z", "VMC1:nothing", "Other thing")


def make_history(
    rng: Random, device: Device, length: int, teller: Teller | None = None, began_us: int = BEGAN_US
) -> list[Moment]:
    """Make up what a device reports at some instants within less than a day, continuing what a teller has made up."""
    teller, at_us, moments = teller or Teller(rng, device), began_us, list[Moment]()
    chatty = 2 * device.of(Kind.EXECUTION, Kind.COUNTER, Kind.EACH, Kind.CONDITION)
    for _ in range(length):
        at_us += rng.choice(GAPS_US)
        items = [rng.choice((*device.items, *chatty)) for _ in range(rng.randint(1, 4))]
        if rng.random() < 0.1:
            items += device.of(*WORDS)
        if rng.random() < 0.1:
            items.append(Item(Kind.UNKNOWN, rng.choice(UNKNOWN_KEYS)))
        moments.append(Moment(at_us, tuple(teller.tell(item) for item in without_repeated_reports(items))))
    return moments


def make_snapshot(rng: Random, device: Device, teller: Teller, began_us: int) -> list[Moment]:
    """Make up the values that an adapter begins a connection with, each from when it last changed, in no order.

    A condition may be there once for each of its codes that is active.
    """
    snapshot = []
    for item in rng.sample(device.items, rng.randint(1, len(device.items))):
        meanings = [teller.tell(item) for _ in range(2 if item.kind is Kind.CONDITION else 1)]
        if item.kind is Kind.AVAILABILITY:
            # An old UNAVAILABLE is taken for an agent's, since many adapters never report that they are available.
            meanings = [Meaning(item, "AVAILABLE")]
        changes = [meaning.value for meaning in meanings if isinstance(meaning.value, Change)]
        codes = {change.code for change in changes if change.level == "FAULT"}
        if item.kind is Kind.CONDITION and len(codes) < 2:
            meanings = meanings[:1]
        snapshot += [Moment(began_us - rng.choice(AGES_US), (meaning,)) for meaning in meanings]
    return snapshot


def without_repeated_reports(items: list[Item]) -> list[Item]:
    """Leave out the second report of an item that counts each piece: at one instant it would be the first one again."""
    return [item for place, item in enumerate(items) if item.kind is not Kind.EACH or item not in items[:place]]


def unavailable(item: Item) -> Meaning:
    """Return that nothing is known of an item."""
    return Meaning(item, Change("UNAVAILABLE") if item.kind is Kind.CONDITION else None)
