"""Runs the official ONNX tests and compares with the scoreboard, or brings it up to date.

    .venv/bin/python utils/scoreboard.py [--update] [--build=build/release] [--jobs=N] [PATTERN...]

Without a pattern all tests run, else those whose name contains one of the patterns. Lost and gained tests are listed;
--update writes test/Backend/passes.txt and others.txt (only the lines of tests that ran). MHO_VERBOSE=1 shows what
crashing tests print.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import argparse
import os
import queue
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "Backend"))

import official  # noqa: E402


def run(names: list[str], package: Path, jobs: int) -> dict[str, str | None]:
    """The reason of every test that fails, None for those that pass."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    outcomes: dict[str, str | None] = {}

    def work() -> None:
        server = official.Server(package)
        try:
            while True:
                name = waiting.get_nowait()
                outcomes[name] = server.run(name)
                if sys.stderr.isatty():
                    print(f"\r\033[K{len(outcomes)}/{len(names)} {name}", end="", file=sys.stderr)
        except queue.Empty:
            pass
        finally:
            server.close()

    workers = [threading.Thread(target=work) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if len(outcomes) != len(names):
        sys.exit("scoreboard: not every test could be run")
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--update", action="store_true", help="write the scoreboard")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="folder of the build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes side by side")
    options = parser.parse_args()

    package = options.build.resolve() / "python"
    if not list(package.glob("mho/_mho.*")):
        sys.exit(f"scoreboard: {package} has no module; build the target mhoPython")
    known = official.load_tests()
    names = [name for name in sorted(known) if not options.patterns or any(p in name for p in options.patterns)]
    start = time.monotonic()
    outcomes = run(names, package, max(1, min(options.jobs, len(names))))

    passes = set(official.read_passes()) if official.PASSES.exists() else set()
    others = official.read_others() if official.OTHERS.exists() else {}
    lost = {name: reason for name, reason in outcomes.items() if reason is not None and name in passes}
    gained = [name for name, reason in outcomes.items() if reason is None and name not in passes]
    if options.patterns:
        for name in names:
            print(f"{name}: {outcomes[name] or 'passes'}")
    for name in sorted(lost):
        print(f"lost: {name}: {lost[name]}")
    for name in sorted(gained):
        print(f"gained: {name}")

    if options.update:
        for name in list(others):
            if name not in known:
                del others[name]
        passes &= set(known)
        for name, reason in outcomes.items():
            passes.discard(name)
            others.pop(name, None)
            if reason is None:
                passes.add(name)
            else:
                others[name] = reason
        official.PASSES.write_text("".join(f"{name}\n" for name in sorted(passes)))
        official.OTHERS.write_text("".join(f"{name}: {others[name]}\n" for name in sorted(others)))
    passed = sum(reason is None for reason in outcomes.values())
    print(
        f"{passed} of {len(outcomes)} pass, {len(gained)} gained, {len(lost)} lost, {time.monotonic() - start:.0f} s"
        + ("; the scoreboard is up to date" if options.update else "")
    )
    return 0 if options.update or not (lost or gained) else 1


if __name__ == "__main__":
    sys.exit(main())
