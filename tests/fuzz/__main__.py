"""``make fuzz``: a coverage-guided fuzzer drives ingest's two paths with bytes, and stops where they differ.

It begins with records as gateways write them, mutates what reaches new code, and keeps its finds in ``build/fuzz``.
"""

import random
import re
import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["schemas.wire", "services.ingest.judging", "services.ingest.columns"]):
    from schemas.wire.instants import format_ms, format_us
    from tests.both_paths import SENDER, assert_both_paths_agree
    from tests.property.test_ingest_paths import TOKENS, encoded, written_by_a_gateway

FOLDER = Path("build/fuzz")
SEEDS = 200
WORD = re.compile(rb'"[^"]*"|[-+.0-9eE]+')
"""A string or a number of JSON."""
VALID = [written_by_a_gateway(form) for form in (format_us, format_ms)]
ROUND_S = 120
"""A process for so long at most: what is instrumented makes atheris grow by some kilobytes with each record."""
taken = [0, 0]


def one(data: bytes) -> None:
    """Judge one record by both paths, and count those that the fast one takes."""
    taken[0] += 1
    taken[1] += assert_both_paths_agree([data], [SENDER])
    if taken[0] % 50_000 == 0:
        print(f"{taken[0]} records, {taken[1]} by the fast path", flush=True)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Mutate the fuzzer's choice, or a valid record: by the fuzzer's own means, a word of the wire, or a word moved.

    Nearly all that coverage leads to is invalid, and says nothing about what the fast path takes: hence valid records.
    """
    chance = random.Random(seed)
    if chance.random() < 0.3:
        data = chance.choice(VALID)
    words = list(WORD.finditer(data))
    match chance.randrange(3 if words else 2):
        case 0:
            return bytes(atheris.Mutate(data, most))
        case 1:
            place = chance.randrange(len(data) + 1)
            return (data[:place] + chance.choice(TOKENS) + data[place + chance.choice((0, 0, 1, 4)) :])[:most]
        case _:
            old, new = chance.choice(words), chance.choice(words)[0]
            return (data[: old.start()] + new + data[old.end() :])[:most]


def fuzz(seconds: int) -> None:
    """Fuzz for a time, going on with the finds so far; any difference of the paths ends the process with an error."""
    corpus = FOLDER / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(SEEDS):
        (corpus / f"seed-{number}").write_bytes(encoded.example())
    options = [f"-max_total_time={seconds}", "-max_len=4096", f"-artifact_prefix={FOLDER}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> int:
    """Fuzz for a number of minutes, the first argument, in one process after the other. Returns 1 at a difference."""
    left_s = int(float(sys.argv[1]) * 60)
    while left_s > 0:
        round_s = min(left_s, ROUND_S)
        if subprocess.run([sys.executable, "-m", "tests.fuzz", "round", str(round_s)], check=False).returncode != 0:
            return 1
        left_s -= round_s
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "round":
        fuzz(int(sys.argv[2]))
    else:
        sys.exit(main())
