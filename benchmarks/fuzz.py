"""Damaged and hostile files: small valid ones of every format, changed, opened as jobs do.

    build/engine/bin/python benchmarks/fuzz.py --mutants 2000 --seed 1

Each mutant is refused with a message, or works; a traceback, a crash, more memory than
`MEMORY` beyond the start or more time than `SECONDS` is a defect of ours. Mutants are opened in
processes that this one forks, many in each. Mutant 17 of seed 1 is always the same file:
``--only 17 --keep FOLDER`` opens it alone and keeps it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.append(str(PLUGINS))
os.environ["OMP_NUM_THREADS"] = "1"

from glacier_qgis.models.gdal.confine import keep_gdal_to_files  # noqa: E402

keep_gdal_to_files()

import fuzz_corpus as corpus  # noqa: E402

from glacier_qgis.models.engine.errors import OUT_OF_MEMORY, explain  # noqa: E402

MEMORY = 3 << 30
"""Bytes beyond what this process has taken before the first mutant."""
SECONDS = 60
BATCH = 50
FAILURES = ("defect", "memory", "killed", "slow")
EXTREMES = [
    *(b"\x00", b"\xff", b"\x7f", b"\x80", b"\x00\x00", b"\xff\xff", b"\xff\x7f", b"\x01\x00"),
    *(bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x7f\xff\xff\xff"),
    *(
        bytes(8),
        b"\xff" * 8,
        b"\x00\x00\x00\x00\x00\x00\xf0\x7f",
        b"\x9c\x75\x00\x88\x3c\xe4\x37\x7e",
    ),
]
"""Bytes of numbers that programs trip over, in both byte orders."""
WORDS = [
    *(b"0", b"-1", b"1e308", b"-1e308", b"1e-308", b"NaN", b"Infinity", b"99999999999999999999"),
    *(b"2147483648", b"1000000", b"null", b"[]", b"{}", b'""', b"true", b"0.5", b"", b"\xe9\xff"),
]
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Verdict:
    """How one mutant fared."""

    number: int
    kind: str
    outcome: str
    words: str = ""


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to three changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(CHANGES)(content, chance) or content
    return content


def _truncated(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 2, 4, 16))):
        changed[_place(content, chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _swapped(content: bytes, chance: random.Random) -> bytes:
    size = chance.choice((4, 16, 64, 512))
    one, two = sorted(chance.randrange(len(content)) for _ in range(2))
    head, tail = content[one : one + size], content[two : two + size]
    changed = bytearray(content)
    changed[one : one + len(tail)], changed[two : two + len(head)] = tail, head
    return bytes(changed)


def _blotted(content: bytes, chance: random.Random) -> bytes:
    start, size = _place(content, chance), chance.choice((8, 64, 512, 4096))
    stain = chance.choice((b"\x00", b"\xff", chance.randbytes(1))) * size
    return content[:start] + stain[: len(content) - start] + content[start + size :]


def _extreme(content: bytes, chance: random.Random) -> bytes:
    start, value = _place(content, chance), chance.choice(EXTREMES)
    start -= start % min(len(value), 4)
    return content[:start] + value + content[start + len(value) :]


def _number(content: bytes, chance: random.Random) -> bytes:
    """Replace a number that stands in the file as text."""
    found = list(_NUMBER.finditer(content))
    if not found:
        return _extreme(content, chance)
    number = chance.choice(found)
    return content[: number.start()] + chance.choice(WORDS) + content[number.end() :]


def _left_out(content: bytes, chance: random.Random) -> bytes:
    start, size = _place(content, chance), chance.choice((1, 2, 8, 64))
    return content[:start] + content[start + size :]


def _repeated(content: bytes, chance: random.Random) -> bytes:
    start, size = _place(content, chance), chance.choice((1, 8, 64, 512))
    return (
        content[:start]
        + content[start : start + size] * chance.choice((2, 3, 50))
        + content[start:]
    )


CHANGES = (
    _truncated,
    _flipped,
    _flipped,
    _swapped,
    _blotted,
    _extreme,
    _extreme,
    _number,
    _left_out,
    _repeated,
)


def _place(content: bytes, chance: random.Random) -> int:
    """Return a position, every other time among the first bytes, where most formats say sizes."""
    near = min(len(content), 512)
    return chance.randrange(near if chance.random() < 0.5 else len(content)) if content else 0


def verdict(number: int, seed: int, kinds: list[corpus.Kind], folder: Path) -> Verdict:
    """Make a mutant and open it; `folder` is emptied first."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311  # drawn again by the seed
    kind = kinds[number % len(kinds)]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kind.folder, folder)
    victim = folder / chance.choice(kind.victims)
    victim.write_bytes(mutate(victim.read_bytes(), chance))
    kind.prepare(folder)
    try:
        kind.open(folder)
    except Exception as error:
        words = explain(error)
        if words is None:
            return Verdict(number, kind.name, "defect", traceback.format_exc())
        return Verdict(number, kind.name, "memory" if words == OUT_OF_MEMORY else "refused", words)
    return Verdict(number, kind.name, "ok")


def fuzz(
    numbers: list[int], seed: int, kinds: list[corpus.Kind], folder: Path
) -> Iterator[Verdict]:
    """Judge mutants in forked processes; one that dies or hangs costs itself only."""
    while numbers:
        done = 0
        for judged in _batch(numbers[:BATCH], seed, kinds, folder):
            done += 1
            yield judged
        numbers = numbers[done:]


def _batch(
    numbers: list[int], seed: int, kinds: list[corpus.Kind], folder: Path
) -> Iterator[Verdict]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _work(numbers, seed, kinds, folder, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as results:
        for number in numbers:
            kind = kinds[number % len(kinds)].name
            ready, _, _ = select.select([results], [], [], SECONDS)
            line = results.readline() if ready else b""
            if line:
                outcome, _, words = line.decode().rstrip("\n").partition(" ")
                yield Verdict(number, kind, outcome, words.replace("\x00", "\n"))
                continue
            if not ready:
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            words = f"signal {os.waitstatus_to_exitcode(status)}"
            yield Verdict(number, kind, "killed" if ready else "slow", words)
            return
    os.waitpid(child, 0)


def _work(numbers: list[int], seed: int, kinds: list[corpus.Kind], folder: Path, pipe: int) -> None:
    """Judge one after another in this process, which then ends."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    with os.fdopen(pipe, "w") as results:
        for number in numbers:
            judged = verdict(number, seed, kinds, folder)
            results.write(f"{judged.outcome} " + judged.words.replace("\n", "\x00") + "\n")
            results.flush()
    os._exit(0)


def main() -> int:
    """Print counts by format and outcome, and what went wrong; 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one mutant")
    parser.add_argument("--keep", type=Path, help="where to keep its file")
    parser.add_argument("--kinds", default="", help="those whose name holds this text")
    parser.add_argument("--messages", action="store_true", help="print what was refused, and why")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glacier-fuzz-") as name:
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CACHE_HOME"] = name
        kinds = corpus.make(Path(name) / "corpus")
        numbers = [*range(arguments.mutants)] if arguments.only is None else [arguments.only]
        chosen = [n for n in numbers if arguments.kinds in kinds[n % len(kinds)].name]
        counts: Counter[tuple[str, str]] = Counter()
        failures = []
        for judged in fuzz(chosen, arguments.seed, kinds, Path(name) / "mutant"):
            counts[judged.kind, judged.outcome] += 1
            if judged.outcome in FAILURES:
                failures.append(judged)
            if arguments.messages:
                print(judged.number, judged.kind, judged.outcome, judged.words)
        if arguments.keep:
            shutil.copytree(Path(name) / "mutant", arguments.keep, dirs_exist_ok=True)
    _report(counts, failures, [kind.name for kind in kinds])
    return int(bool(failures))


def _report(counts: Counter[tuple[str, str]], failures: list[Verdict], kinds: list[str]) -> None:
    outcomes = ("ok", "refused", *FAILURES)
    print(f"{'':24}" + "".join(f"{outcome:>9}" for outcome in outcomes))
    for kind in [*kinds, ""]:
        sums = [
            sum(n for (k, o), n in counts.items() if o == outcome and kind in ("", k))
            for outcome in outcomes
        ]
        if any(sums):
            print(f"{kind or 'all':24}" + "".join(f"{count:9}" for count in sums))
    for judged in failures:
        print(f"\n{judged.outcome}: mutant {judged.number}, {judged.kind}\n{judged.words}")


if __name__ == "__main__":
    sys.exit(main())
