"""``make fuzz``: a coverage-guided fuzzer drives ingest's two paths with bytes, and stops where they differ.

It begins with records as gateways write them, mutates what reaches new code, and keeps its finds in ``build/fuzz``.
"""

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["schemas.wire", "services.ingest.judging", "services.ingest.columns"]):
    from tests.both_paths import SENDER, assert_both_paths_agree
    from tests.property.test_ingest_paths import TOKENS, encoded

FOLDER = Path("build/fuzz")
SEEDS = 200
taken = [0, 0]


def one(data: bytes) -> None:
    """Judge one record by both paths, and count those that the fast one takes."""
    taken[0] += 1
    taken[1] += assert_both_paths_agree([data], [SENDER])
    if taken[0] % 100_000 == 0:
        print(f"{taken[0]} records, {taken[1]} by the fast path", flush=True)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Put one of the wire's words anywhere, or leave the mutation to the fuzzer."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, most))
    place = chance.randrange(len(data) + 1)
    return (data[:place] + chance.choice(TOKENS) + data[place + chance.choice((0, 0, 1, 4)) :])[:most]


def main() -> None:
    """Fuzz for a number of minutes, the only argument; any difference of the paths ends it with an error."""
    corpus = FOLDER / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(SEEDS):
        (corpus / f"seed-{number}").write_bytes(encoded.example())
    seconds = int(float(sys.argv[1]) * 60)
    options = [f"-max_total_time={seconds}", "-max_len=4096", f"-artifact_prefix={FOLDER}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
