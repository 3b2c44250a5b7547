"""The comparison by hand: `python3 tests/conformance record|real|embedded|drawn`.

record    sends the requests to a real API server (started here) and writes recorded.json and recorded_drawn.json
real      compares a real API server with the recording
embedded  compares the embedded cluster with the recording, allowed differences marked
drawn     compares the embedded cluster with a real API server on the requests of a seed (--seed, --count)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "real")]

from drawn import COUNT, SEED, draw  # noqa: E402
from grounds import embedded_server, real_server  # noqa: E402
from recording import DRAWN, allowed, load, save  # noqa: E402
from sequence import differences, load_requests, run  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "real", "embedded", "drawn"))
    parser.add_argument("--all", action="store_true", help="show allowed differences too")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    drawn = draw(options.seed, options.count)
    if options.what == "drawn":
        with real_server() as server:
            wanted = run(server, drawn)
    else:
        wanted = {} if options.what == "record" else {**load(), **load(DRAWN)}
    requests = drawn if options.what == "drawn" else [*load_requests(), *draw(SEED)]
    with embedded_server() if options.what in ("embedded", "drawn") else real_server() as server:
        answers = run(server, requests)
    if options.what == "record":
        of_list = {request["name"] for request in load_requests()}
        save({name: answer for name, answer in answers.items() if name in of_list})
        save({name: answer for name, answer in answers.items() if name not in of_list}, DRAWN)
        print(f"recorded {len(answers)} answers")
        return 0
    found = differences(wanted, answers)
    excused = allowed()
    left = [one for one in found if options.what == "real" or not excused.reason(one)]
    for one in found if options.all else left:
        print(one, f"(allowed: {excused.reason(one)})" if excused.reason(one) else "")
    different = {one.request for one in left}
    print(
        f"{len(answers)} requests, {len(different)} answered differently, {len(left)} differences, {len(found) - len(left)} allowed"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
