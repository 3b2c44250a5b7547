"""Random seeds, for as long as one likes: ``make soak SEEDS=n``, ``MINUTES=m``, or ``SEED=s`` to replay one.

python -m faults.soak --seeds 500          # in tests/; begins at a seed drawn from the clock, unless --from is given
python -m faults.soak --seed 17 --without kills --without people
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from .run import Result, hazards_of, run

BATCH = 5  # seeds in a task of a process


def reduced(result: Result) -> Result:
    """The same seed with the fewest faults that still make it fail: they are left out one by one, as long as that can be done."""
    smallest = result
    while True:
        for name in smallest.hazards.present():
            tried = run(result.seed, smallest.hazards.without(name))
            if tried.problems:
                smallest = tried
                break
        else:
            return smallest


def report(result: Result) -> str:
    """What failed, with which faults at the least, and how to see it again."""
    smallest = reduced(result)
    needed = smallest.hazards.present()
    left_out = [name for name in result.hazards.present() if name not in needed]
    without = f" WITHOUT={','.join(left_out)}" if left_out else ""
    lines = [f"seed {result.seed} failed", *(f"  {problem}" for problem in result.problems[:5])]
    lines += [f"drawn faults: {', '.join(result.hazards.present()) or 'none'}", f"of these needed: {', '.join(needed) or 'none'}"]
    if smallest is not result:
        lines += [f"  {problem}" for problem in smallest.problems[:5]]
    return "\n".join([*lines, f"replay: make soak SEED={result.seed}{without}"])


@contextmanager
def hushed() -> Iterator[None]:
    """What the core logs meanwhile is of no interest but for errors, which are told."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            log.seek(0)
            errors = [line for line in log.read().decode(errors="replace").splitlines() if line.startswith("E")]
    assert not errors, "\n".join(errors[:10])


def failures(seeds: Sequence[int]) -> list[str]:
    """A report for each seed that fails."""
    found = []
    for seed in seeds:
        try:
            with hushed():
                result = run(seed)
                if result.problems:
                    found.append(report(result))
        except AssertionError as error:
            found.append(f"seed {seed} logs errors\n{error}\nreplay: make soak SEED={seed}")
    return found


def replay(seed: int, without: Sequence[str]) -> bool:
    """Tells everything about one seed; whether all was well."""
    hazards = hazards_of(seed)
    for name in without:
        hazards = hazards.without(name)
    begin = time.process_time()
    result = run(seed, hazards)
    print(f"seed {seed}, faults: {', '.join(hazards.present()) or 'none'}", *result.log, sep="\n")
    for problem in result.problems:
        print(f"PROBLEM {problem}")
    print(
        f"{result.writes} writes of managers, {result.excused} excused, {time.process_time() - begin:.2f} s of processor time, "
        f"log {result.hash}"
    )
    return not result.problems


def batches(first: int, seeds: int | None) -> Iterator[range]:
    last = None if seeds is None else first + seeds
    while last is None or first < last:
        end = first + BATCH if last is None else min(first + BATCH, last)
        yield range(first, end)
        first = end


def soak(first: int, seeds: int | None, minutes: float | None, jobs: int) -> bool:
    """Runs seeds until there are no more or time is up; whether all were well."""
    begin = time.monotonic()
    done = failed = 0
    todo = batches(first, seeds)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(failures, batch) for _, batch in zip(range(2 * jobs), todo, strict=False)]
        sizes = BATCH
        while running:
            for text in running.pop(0).result():
                failed += 1
                print(text, flush=True)
            done += sizes
            if (minutes is None or time.monotonic() - begin < 60 * minutes) and (batch := next(todo, None)):
                running.append(pool.submit(failures, batch))
    done = done if seeds is None else min(done, seeds)
    print(f"{done} seeds from {first} on, {failed} failed, {time.monotonic() - begin:.0f} s")
    return not failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="replay this one and tell what happens in it")
    parser.add_argument("--without", action="append", default=[], help="with --seed: leave this fault out")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--minutes", type=float, help="for how long, where no number is given")
    parser.add_argument("--from", type=int, dest="first", default=None, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return 0 if replay(arguments.seed, arguments.without) else 1
    first = int(time.time()) * 1000 if arguments.first is None else arguments.first
    seeds = 100 if arguments.seeds is None and arguments.minutes is None else arguments.seeds
    return 0 if soak(first, seeds, arguments.minutes, arguments.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
