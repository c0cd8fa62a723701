"""What rows a history of a machine must give: computed a second time, from meanings instead of lines, and simply."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.wire.codes import Mode, State
from tests.property.shdr_devices import Device, Item, Kind
from tests.property.shdr_meanings import Change, Meaning, Moment, Total

DELAYED = ("FEED_HOLD", "INTERRUPTED", "OPTIONAL_STOP", "PROGRAM_OPTIONAL_STOP", "PROGRAM_STOPPED", "WAIT")
FUNCTIONAL = {
    "SETUP": State.setup,
    "TEARDOWN": State.setup,
    "MAINTENANCE": State.planned_stop,
    "PROCESS_DEVELOPMENT": State.planned_stop,
}
MODES = {
    "AUTOMATIC": Mode.automatic,
    "SEMI_AUTOMATIC": Mode.semi_automatic,
    "MANUAL": Mode.manual,
    "MANUAL_DATA_INPUT": Mode.manual,
}
Status = tuple[State, Mode, str | None]
UNKNOWN: Status = (State.unknown, Mode.unknown, None)


@dataclass(slots=True)
class History:
    """A machine's status at each instant at which it was heard, its pieces (good, bad), and its readings, by item."""

    statuses: dict[int, Status] = field(default_factory=dict)
    pieces: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    readings: dict[tuple[int, str], float] = field(default_factory=dict)
    owed: int = 0
    """In how many components bad pieces are in no total."""


def history_of(device: Device, moments: Sequence[Moment]) -> History:
    """Return what follows from moments, in the order of time."""
    history = History()
    values = {item.id: item.constant or item.initial for item in device.items}
    faults: list[tuple[Item, Change]] = []
    made: list[tuple[int, str, Item, int]] = []
    totals: dict[str, Total] = {}
    for moment in moments:
        for meaning in moment.meanings:
            item, value = meaning.item, meaning.value
            if isinstance(value, Change):
                faults = changed(faults, item, value)
            elif item.kind in (Kind.COUNTER, Kind.EACH):
                product = product_of(values[device.programs[item.component].id])
                made += [(moment.at_us, product, item, pieces) for pieces in pieces_of(meaning, totals)]
            elif isinstance(value, float):
                history.readings[moment.at_us, item.id] = value * item.scale + item.offset
            elif not item.constant and (value is None or isinstance(value, str)):
                values[item.id] = value or "UNAVAILABLE"
        history.statuses[moment.at_us] = status_of(device, values, faults)
    for component in {item.component for _, _, item, _ in made}:
        add_pieces(history, [entry for entry in made if entry[2].component == component])
    return history


def changed(faults: list[tuple[Item, Change]], item: Item, change: Change) -> list[tuple[Item, Change]]:
    """Return the faults after a condition has changed, the longest-standing first."""
    own = [fault for of, fault in faults if of is item]
    gone: list[Change] = []
    if change.level == "FAULT":
        if change.id in (fault.id for fault in own):
            return [(of, change) if of is item and fault.id == change.id else (of, fault) for of, fault in faults]
        return [*faults, (item, change)]
    if change.level == "UNAVAILABLE" or (change.level == "NORMAL" and not change.id):
        gone = own
    else:
        gone = [fault for fault in own if change.id in (fault.id, fault.code)]
        if change.level == "NORMAL" and not gone:
            gone = [fault for fault in own if not fault.id]
    return [(of, fault) for of, fault in faults if of is not item or fault not in gone]


def status_of(device: Device, values: dict[str, str], faults: list[tuple[Item, Change]]) -> Status:
    """Return the status: of the claims that the paths make, those of the lowest rank hold."""
    if any(values[item.id] == "UNAVAILABLE" for item in device.of(Kind.AVAILABILITY)):
        return UNKNOWN
    is_stopped = any(values[item.id] == "TRIGGERED" for item in device.of(Kind.ESTOP))
    claims: list[tuple[int, State, str | None, Mode]] = []
    for place, path in enumerate(device.paths):
        word = values[path.execution.id]
        doing = values[path.functional_mode.id] if path.functional_mode else ""
        mode = MODES.get(values[path.mode.id], Mode.unknown) if path.mode else Mode.unknown
        if word in ("", "UNAVAILABLE"):
            continue
        if word == "ACTIVE" and doing not in FUNCTIONAL:
            claims.append((0, State.producing, None, mode))
        elif word == "ACTIVE":
            claims.append((10 + place, FUNCTIONAL[doing], doing, mode))
        if is_stopped:
            claims.append((20, State.faulted, "EMERGENCY_STOP", mode))
        elif faults:
            claims.append((20, State.faulted, reason_of(*faults[0]), mode))
        if doing in FUNCTIONAL:
            claims.append((30 + place, FUNCTIONAL[doing], doing, mode))
        claims.append((40, State.delayed, word, mode) if word in DELAYED else (50, State.idle, word, mode))
    if not claims:
        return UNKNOWN
    rank, state, reason, _ = min(claims, key=lambda claim: claim[0])
    return state, max(claim[3] for claim in claims if claim[0] == rank), reason


def reason_of(item: Item, fault: Change) -> str:
    return printable(" ".join(text for text in (item.label, fault.code, fault.text) if text))[:128]


def product_of(program: str) -> str:
    return "" if program == "UNAVAILABLE" else printable(program).strip()[:128]


def printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def pieces_of(meaning: Meaning, totals: dict[str, Total]) -> Iterator[int]:
    """Yield the pieces that a counter's new value shows, if it shows any or a reset; ``totals`` has the one before."""
    item, new = meaning.item, meaning.value
    if not isinstance(new, Total):
        totals.pop(item.id, None)
        return
    if item.kind is Kind.EACH:
        yield new.total
        return
    before = totals.get(item.id)
    is_announced = bool(new.trigger) and before is not None and new != before
    if before is not None and (is_announced or new.total < before.total):
        yield new.total
    elif before is not None and new.total > before.total:
        yield new.total - before.total
    if before is None or is_announced or new.total != before.total:
        totals[item.id] = new


def add_pieces(history: History, made: Iterable[tuple[int, str, Item, int]]) -> None:
    """Add the pieces of one component. Good are the GOOD ones; if none were counted, ALL less the BAD ones so far."""
    by_parts: dict[str, dict[tuple[int, str], int]] = {"GOOD": {}, "BAD": {}, "ALL": {}}
    for at_us, product, item, pieces in made:
        instants = by_parts[item.parts]
        instants[at_us, product] = instants.get((at_us, product), 0) + pieces
    good = by_parts["GOOD"] or by_parts["ALL"]
    bad, owed = by_parts["BAD"], 0
    sums: defaultdict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (0, 0), history.pieces)
    for instant in sorted(good.keys() | bad.keys()):
        left = good.get(instant, 0)
        if not by_parts["GOOD"] and by_parts["ALL"]:
            left, owed = max(0, left - owed - bad.get(instant, 0)), max(0, owed + bad.get(instant, 0) - left)
        sums[instant] = (sums[instant][0] + left, sums[instant][1] + bad.get(instant, 0))
    history.pieces = dict(sums)
    history.owed += owed > 0
