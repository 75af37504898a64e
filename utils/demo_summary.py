"""Prints the demo's result from the two reports of mho-run.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import json
import sys
from pathlib import Path


def quantity(value: float, unit: str) -> str:
    """1.23e-6, "s" as 1.23 µs."""
    for factor, prefix in ((1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def main() -> None:
    ideal, noisy = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    exact, real = ideal["metrics"]["accuracy"], noisy["metrics"]["accuracy"]
    low, high = real["ci95"] if isinstance(real["ci95"], list) else (None, None)
    interval = f"95 % interval {low:.2%} to {high:.2%}" if low is not None else f"± {real['ci95']:.2%} (95 %)"
    energy, arrays = noisy["energy_j"], noisy["arrays"]
    parts = sorted(((v, k) for k, v in energy.items() if k != "total" and v > 0), reverse=True)
    shares = ", ".join(f"{name} {value / energy['total']:.0%}" for value, name in parts)
    estimates = sum(number["kind"] == "estimate" for number in noisy["provenance"])
    print(f"""
handwritten digits on {noisy["target"]}, 450 held-out images
  accuracy, ideal          {exact["value"]:.2%}
  accuracy, a day old      {real["value"]:.2%}  (sd {real["std"]:.2%}, {interval}, {real["instances"]} chips)
  latency                  {quantity(noisy["latency_s"], "s")} an image, {noisy["throughput_per_s"]:.3g} images/s
  energy                   {quantity(energy["total"], "J")} an image ({shares})
  arrays used              {arrays["used"]} of {arrays["available"]}
  report                   {sys.argv[2]}, and a page: {Path(sys.argv[2]).with_suffix(".html")}
{estimates} of {len(noisy["provenance"])} chip numbers behind these figures are estimates; the report names them.""")


if __name__ == "__main__":
    main()
