"""Run the property tests on other examples each time, beside ``./test --repeatable``.

    python3 tools/properties.py [TIMES]

A failure shows its example, and the seed that draws it again (``--hypothesis-seed``). Later runs of
``./test`` try that example first.
"""

from __future__ import annotations

import argparse
import secrets
import sys

from environments import THREADS, engine
from link import link_tree
from terminal import StepError, finish, run, say


def main() -> None:
    """Run them all `TIMES` times, to the end, and say which seeds failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("times", nargs="?", type=int, default=1)
    python = engine("test")
    link_tree()
    failed = []
    for _ in range(parser.parse_args().times):
        seed = str(secrets.randbits(32))
        say(f"\n== Seed {seed}")
        words = ("--quiet", "-m", "hypothesis", "--hypothesis-seed", seed)
        try:
            run([python, "-P", "-m", "pytest", *words], env=THREADS)
        except StepError:
            failed.append(seed)
    if failed:
        raise StepError(f"properties do not hold for the seeds {', '.join(failed)}")


if __name__ == "__main__":
    sys.exit(finish(main))
