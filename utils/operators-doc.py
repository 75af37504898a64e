#!/usr/bin/env python3
"""Writes docs/Operators.md: every operator, its versions, where it runs and what is refused.

operators-doc.py [--print]

The operators come from `mhoc --list-operators`, limits from what the importer's
handlers refuse. With --print the page goes to stdout;
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

HEAD = """<!-- Made by utils/operators-doc.py from the importer's table and its refusals; edit there. -->

# Operators

Operators of every version of the set are meant, from the first to the newest (28); where a later one changed the
meaning, the node's own counts. Elements may be float16, bfloat16, float32, float64, signed and unsigned integers of 8
to 64 bits, and bool, as far as ONNX allows them for the operator; floats narrower than 32 bits are stored narrow and
computed in float32. Strings and complex numbers are refused with their node.

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
            calls = re.findall(r"\.refuse\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)", body)
            found[operator] = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', call)).strip() for call in calls]
    return found


def tidy(reason: str) -> str:
    reason = re.sub(r"\s+", " ", reason.replace("|", "/")).strip(" ;,")
    return re.split(r"; (?:export|give|expected)", reason)[0]


def versions(info: dict) -> str:
    since = info["versions"]
    if not since:
        return "1"
    return f"{since[0]}–" if len(since) == 1 else f"{since[0]}–, changed in {', '.join(map(str, since[1:]))}"


def table(rows: list[dict], limits: dict, domain: str) -> list[str]:
    lines = ["| operator | versions | where | refused |", "|---|---|---|---|"]
    for info in rows:
        key = f"{domain}.{info['name']}"
        refused = "; ".join(dict.fromkeys(tidy(reason) for reason in limits.get(key, []) if reason))
        lines.append(f"| {info['name']} | {versions(info)} | {info['where']} | {refused} |")
    return lines


def page() -> str:
    listing, limits = run_listing(), refusals()
    lines = [HEAD]
    titles = {"": "ONNX", "ai.onnx.ml": "ai.onnx.ml", "com.microsoft": "com.microsoft"}
    for domain, title in titles.items():
        rows = [info for info in listing if info["domain"] == domain]
        known = [info for info in rows if info["source"] != "none"]
        lines += [f"## {title}", ""]
        lines += [f"{len(known)} operators have a meaning.", ""]
        lines += table(known, limits, domain)
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
