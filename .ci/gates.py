#!/usr/bin/env python3
"""Runs `fetchpages compare` with gates while other programs take all CPUs.

usage: gates.py FETCHPAGES [--runs 10]

One gate must hold in every run: 16 threads take at most half the time of one page after the other (in fact a twelfth).
Another must fail in every run: they take at most a fiftieth. The script fails if a run ends otherwise or leaves files
behind.
"""
import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

LIMIT = 300  # seconds: a program that takes longer hangs
PLAN = ["--modes", "sequential,threads", "--workers", "16", "--pages", "100", "--latency", "10ms", "--rounds", "5"]
MUST_HOLD, MUST_NOT_HOLD = "threads@16 <= 0.5 * sequential", "threads@16 <= 0.02 * sequential"


@contextlib.contextmanager
def busy():
    """Keeps every CPU busy with a program that never waits."""
    spin = [sys.executable, "-c", "while True: pass"]
    spinning = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def compare(program, gate, expected):
    """Runs one comparison; returns what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="fetchpages-gates-") as work:
        command = [program, "compare", *PLAN, "--gate", gate, "--json", "-q", "-o", work]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
        left = sorted(path.name for path in pathlib.Path(work).iterdir())
    if done.returncode != expected:
        return f"{gate}: exit code {done.returncode}, not {expected}: {done.stderr.strip()}"
    if expected and gate not in done.stderr:
        return f"{gate}: not named: {done.stderr.strip()!r}"
    return f"{gate}: left {left}" if left else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="FETCHPAGES")
    parser.add_argument("--runs", type=int, default=10)
    args = parser.parse_args()
    wrong = []
    with busy():
        for _ in range(args.runs):
            wrong += [compare(args.program, MUST_HOLD, 0), compare(args.program, MUST_NOT_HOLD, 6)]
    wrong = [what for what in wrong if what]
    for what in wrong:
        print(f"FAILED: {what}")
    print(f"{args.runs} runs with a gate that holds, {args.runs} with one that does not: {len(wrong)} ended otherwise")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
