"""`python -m benchmarks [name…] [--quick]`: all benchmarks, or those named."""

from __future__ import annotations

import argparse
import importlib

BENCHMARKS = (
    "isolation",
    "provisioning",
    "graduation",
    "fleet",
    "credentials",
    "sign_in",
    "engine",
    "orders",
    "prices",
    "neighbours",
    "backups",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a small run that keeps no results")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    for name in asked.names or BENCHMARKS:
        importlib.import_module(f"benchmarks.{name}").run(quick=asked.quick)


if __name__ == "__main__":
    main()
