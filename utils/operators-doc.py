#!/usr/bin/env python3
"""Writes docs/Operators.md: every operator, its versions, where it runs, its limits, the official tests passed.

operators-doc.py [--print]

The operators come from `mhoc --list-operators`, limits from what the importer's
handlers refuse, types from utils/operator-types.py's trials, tests from the
scoreboard. With --print the page goes to stdout;
a test compares it with the file.
"""

# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
PAGE = SOURCE / "docs" / "Operators.md"

HEAD = """<!-- Made by utils/operators-doc.py from the importer's table, its refusals, trials of types and the scoreboard; edit there. -->

# Operators

Operators of every version of the set are meant, from the first to the newest (28); where a later one changed the
meaning, the node's own counts. "Types" are those of the first input with which a test of the node (an official one; of
`ai.onnx.ml` and `com.microsoft` one of ours) compiles and runs on target `ideal`, of all that the schema of ONNX or ONNX
Runtime allows there (`utils/operator-types.py` tries them; `all` is every one but strings and complex numbers, which are
refused with their node): i and u are signed and unsigned integers, f floats, each with its bits, bf16 is bfloat16 and f8
are the float8 types. Floats narrower than 32 bits are stored narrow and computed in float32; arrays take float16,
bfloat16 and float32.

"Where" tells what a node becomes when it is not folded: products with constant weights go to arrays, everything else
to the instructions of the digital units. `mhoc --explain` tells it for the nodes of a model. "Body" is an operator that
is imported as the body of others that ONNX's schema gives. What nothing is said of has no meaning here yet and is
refused with its node.
"""


def run_listing() -> list[dict]:
    tools = Path(os.environ.get("MHO_BIN", SOURCE / "build" / "release" / "bin"))
    text = subprocess.run([tools / "mhoc", "--list-operators"], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def matching_brace(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
    return len(text)


def refusals() -> dict[str, list[str]]:
    """What the handler of each operator refuses, read from its source."""
    found = {}
    for path in sorted((SOURCE / "lib" / "Import" / "ONNX").glob("*.cpp")):
        text = path.read_text()
        handlers = dict(re.findall(r'table\["([\w.]+)"\]\s*=\s*(\w+)', text))
        for operator, function in handlers.items():
            start = re.search(rf"\bvoid {function}\(Node &\w+\) {{", text)
            if not start:
                continue
            body = text[start.start() : matching_brace(text, start.end() - 1)]
            # What handlers share stands in functions of the same file, by themselves.
            for shared in re.finditer(r"^void (\w+)\(Node &\w+,[^{;]*\) {", text, re.M):
                if re.search(rf"\b{shared[1]}\(", body):
                    body += text[shared.start() : matching_brace(text, shared.end() - 1)]
            calls = re.findall(r"\.refuse\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)", body)
            found[operator] = [said(call) for call in calls]
    return found


def said(call: str) -> str:
    """What the literals of an expression say, with … for each value between them."""
    call = re.sub(r"\b(?!Twine\b)[\w.:>-]*\w\((?:[^()]|\([^()]*\))*\)", "value", call)
    parts = re.split(r'"((?:[^"\\]|\\.)*)"', call)
    between = ["…" if re.sub(r"[\s+]|Twine\(\)", "", part) else "" for part in parts[2:-1:2]]
    return "".join(word for pair in zip(parts[1::2], [*between, ""], strict=True) for word in pair).strip()


def tidy(reason: str) -> str:
    reason = re.sub(r"\s+", " ", reason.replace("|", "/")).strip(" ;,")
    return re.split(r"; (?:export|give|expected)", reason)[0]


def scoreboard() -> dict[str, tuple[int, int]]:
    """Per operator, by "domain.Operator": official tests of its node passed and all."""
    sys.path.insert(0, str(SOURCE / "test" / "Backend"))
    import official

    passes = set(official.read_passes())
    counts: dict[str, tuple[int, int]] = {}
    for name, test in official.load_tests().items():
        if test.kind != "node" or "_expanded" in name or len(test.model.graph.node) != 1:
            continue
        node = test.model.graph.node[0]
        kind = f"{'' if node.domain == 'ai.onnx' else node.domain}.{node.op_type}"
        passed, every = counts.get(kind, (0, 0))
        counts[kind] = (passed + (name in passes), every + 1)
    return counts


SHORT = {"float16": "f16", "bfloat16": "bf16", "float": "f32", "double": "f64", "bool": "bool", "float4e2m1": "f4"}
SHORT |= {
    f"{sign}int{bits}": f"{letter}{bits}" for sign, letter in (("", "i"), ("u", "u")) for bits in (2, 4, 8, 16, 32, 64)
}


def short(name: str) -> str:
    return SHORT.get(name, name.replace("float8", "f8"))


def in_families(names: list[str]) -> str:
    """Types in a few words: neighbours of a family are joined, as in i8–64."""
    left = [short(name) for name in names]
    words = []
    for letter, widths in (("f", (16, 32, 64)), ("i", (2, 4, 8, 16, 32, 64)), ("u", (2, 4, 8, 16, 32, 64))):
        run = [bits for bits in widths if f"{letter}{bits}" in left]
        if len(run) > 2 and run == [bits for bits in widths if run[0] <= bits <= run[-1]]:
            words.append(f"{letter}{run[0]}–{run[-1]}")
        else:
            words += [f"{letter}{bits}" for bits in run]
    eights = [name for name in left if name.startswith("f8")]
    words += ["f8"] if len(eights) >= 4 else eights
    words += [name for name in ("f4", "bf16", "bool") if name in left]
    return ", ".join(words)


def trials() -> dict[str, str]:
    """The types that each operator works with."""
    found = {}
    for line in (SOURCE / "test" / "Backend" / "types.txt").read_text().splitlines():
        kind, rest = line.split(": ", 1)
        outcome = json.loads(rest)
        works = in_families(outcome["works"])
        whole = not outcome["refused"] and not outcome["untried"] and len(outcome["works"]) > 1
        found[kind] = f"all ({works})" if whole else works
    return found


def versions(info: dict) -> str:
    since = info["versions"]
    if not since:
        return "1"
    return f"{since[0]}–" if len(since) == 1 else f"{since[0]}–, changed in {', '.join(map(str, since[1:]))}"


def table(rows: list[dict], limits: dict, types: dict, tests: dict, domain: str) -> list[str]:
    lines = ["| operator | versions | where | types | refused | tests |", "|---|---|---|---|---|---|"]
    for info in rows:
        key = f"{domain}.{info['name']}"
        refused = "; ".join(dict.fromkeys(tidy(reason) for reason in limits.get(key, []) if reason))
        cells = [info["name"], versions(info), info["where"], types.get(key.lstrip("."), ""), refused]
        passed, every = tests.get(key, (0, 0))
        cells.append(f"{passed} of {every}" if every else "")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page() -> str:
    listing, limits, types, tests = run_listing(), refusals(), trials(), scoreboard()
    lines = [HEAD]
    for domain in ["", "ai.onnx.ml", "com.microsoft", "ai.onnx.preview", "ai.onnx.preview.training"]:
        rows = [info for info in listing if info["domain"] == domain]
        known = [info for info in rows if info["source"] != "none"]
        lines += [f"## {domain or 'ONNX'}", ""]
        lines += [f"{len(known)} operator{'s have' if len(known) != 1 else ' has'} a meaning.", ""]
        lines += table(known, limits, types, tests, domain)
        missing = [info["name"] for info in rows if info["source"] == "none"]
        if missing:
            lines += ["", "Without a meaning: " + ", ".join(missing) + "."]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    if parser.parse_args().print:
        sys.stdout.write(page())
    else:
        PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
