"""The comparison by hand: `python3 tests/conformance record|real|embedded`.

record    sends the requests to a real API server (started here) and writes recorded.json
real      compares a real API server with the recording
embedded  compares the embedded cluster with the recording, allowed differences marked
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "real")]

from grounds import embedded_server, real_server  # noqa: E402
from recording import allowed, load, save  # noqa: E402
from sequence import differences, run  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "real", "embedded"))
    parser.add_argument("--all", action="store_true", help="show allowed differences too")
    options = parser.parse_args()
    with embedded_server() if options.what in ("embedded") else real_server() as server:
        answers = run(server)
    if options.what == "record":
        save(answers)
        print(f"recorded {len(answers)} answers")
        return 0
    found = differences(load(), answers)
    excused = allowed()
    left = [one for one in found if options.what == "real" or not excused.reason(one)]
    for one in found if options.all else left:
        print(one, f"(allowed: {excused.reason(one)})" if excused.reason(one) else "")
    requests = {one.request for one in left}
    print(
        f"{len(answers)} requests, {len(requests)} answered differently, {len(left)} differences, {len(found) - len(left)} allowed"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
