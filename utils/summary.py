"""Adds up the results that utils/test.sh left in a folder.

Prints what failed, a line per suite, and as the last line
"N passed, N failed, N skipped". A suite that ran nothing, or that crashed
before it could write its result, counts as a failure.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Suite:
    name: str
    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, test: str, outcome: str) -> None:
        if outcome == "passed":
            self.passed += 1
        elif outcome == "skipped":
            self.skipped += 1
        else:
            self.failures.append(test)


def read_junit(suite: Suite, path: Path) -> None:
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        failed = kinds & {"failure", "error"}
        skipped = "skipped" in kinds or case.get("status") == "notrun"
        name = f"{case.get('classname')}.{case.get('name')}"
        suite.add(name, "failed" if failed else "skipped" if skipped else "passed")


def checks(results: Path) -> Suite:
    """Format checks and the build: one line each, "passed NAME"."""
    suite = Suite("checks")
    for line in (results / "checks.txt").read_text().splitlines():
        outcome, name = line.split(" ", 1)
        suite.add(name, outcome)
    return suite


def unit_tests(results: Path) -> Suite:
    """GoogleTest's reports, one for each executable in unit.txt."""
    suite = Suite("unit tests")
    for name in (results / "unit.txt").read_text().split():
        try:
            read_junit(suite, results / f"unit-{name}.xml")
        except (OSError, ElementTree.ParseError):
            suite.failures.append(f"{name} ended before it could report")
    return suite


def lit_tests(results: Path) -> Suite:
    suite = Suite("lit")
    for test in json.loads((results / "lit.json").read_text())["tests"]:
        if test["code"] in ("PASS", "XFAIL", "FLAKYPASS"):
            suite.add(test["name"], "passed")
        elif test["code"] in ("UNSUPPORTED", "SKIPPED"):
            suite.add(test["name"], "skipped")
        else:
            suite.add(f"{test['name']} ({test['code']})", "failed")
    return suite


def pytest_tests(results: Path) -> Suite:
    suite = Suite("pytest")
    read_junit(suite, results / "pytest.xml")
    return suite


def main() -> int:
    results = Path(sys.argv[1])
    suites = [checks(results)]
    if not suites[0].failures or "build" not in suites[0].failures:
        for name, read in (("unit tests", unit_tests), ("lit", lit_tests), ("pytest", pytest_tests)):
            try:
                suite = read(results)
            except (OSError, ValueError, ElementTree.ParseError) as error:
                suite = Suite(name, failures=[f"{name}: no result ({error})"])
            if suite.passed + len(suite.failures) == 0:
                suite.failures.append(f"{name}: ran no test")
            suites.append(suite)

    for suite in suites:
        print(f"{suite.name}: {suite.passed} passed, {len(suite.failures)} failed, {suite.skipped} skipped")
    failures = [f"  {suite.name}: {test}" for suite in suites for test in suite.failures]
    if failures:
        print("failed:", *failures, sep="\n")
    passed = sum(suite.passed for suite in suites)
    skipped = sum(suite.skipped for suite in suites)
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
