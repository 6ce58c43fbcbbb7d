#!/usr/bin/env python3
"""Compares --workers auto with fixed numbers of workers at sites of known capacity.

usage: auto.py FETCHPAGES [--capacities 4,16,64] [--pages 2000] [--rounds 5] [--mode threads] [--latency 50ms] [--short]

A site of capacity N works on at most N requests at a time, and answers each after the latency; the rest wait. The
script fails unless auto reaches at least 90 percent of the best fixed number's throughput, with at most 1.5 times the
mean number of requests in flight (counted at the site) of the smallest fixed number within 2 percent of the best.
Figures are medians of interleaved rounds. --short runs one round at one capacity with wide margins, for busy machines.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import select
import statistics
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

LIMIT = 300  # seconds: a program that takes longer hangs
SHARES = 0.5, 0.75, 1.0, 1.25, 1.5, 2.0  # of the capacity, as fixed numbers of workers
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# The bar: throughput as a share of the best, requests in flight as a multiple; the best is within NEAR.
Bar = collections.namedtuple("Bar", "throughput in_flight")
FULL, WIDE = Bar(0.9, 1.5), Bar(0.6, 2.5)
NEAR = 0.98

Run = collections.namedtuple("Run", "throughput mean peak settled flat")


@contextlib.contextmanager
def origin(options, capacity):
    """Serves the embedded site with this capacity; yields the address of its index."""
    command = [options.program, "origin", "--port", "0", "--pages", str(options.pages), "--latency", options.latency,
               "--capacity", str(capacity)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        has_started, _, _ = select.select([server.stdout], [], [], LIMIT)
        line = server.stdout.readline() if has_started else ""
        if not line.startswith("serving "):
            sys.exit(f"FAILED: the origin does not serve: {line!r}")
        yield line.split()[1]
    finally:
        server.kill()
        server.communicate()


def run(options, capacity, workers):
    """Runs one download; returns its figures and the site's."""
    with origin(options, capacity) as index, tempfile.TemporaryDirectory(prefix="fetchpages-auto-") as work:
        command = [options.program, "--index", index, "--mode", options.mode, "-j", str(workers), "--json", "--no-save",
                   "--progress", "none", "-o", f"{work}/pages"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode != 0:
            sys.exit(f"FAILED: {' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        summary = json.loads(done.stdout)
        with DIRECT.open(urllib.parse.urljoin(index, "/_stats"), timeout=LIMIT) as response:
            stats = json.load(response)
    return Run(summary["pages_per_second"], stats["open_mean"], stats["open_peak"], summary.get("settled"),
               summary.get("throughput_flat_from"))


def median(runs):
    return Run(*(statistics.median(values) if None not in values else None for values in zip(*runs)))


def compare(options, capacity):
    """Prints the table of one capacity; returns whether auto meets the bar."""
    fixed = sorted({max(1, round(share * capacity)) for share in options.shares})
    runs = collections.defaultdict(list)
    for _ in range(options.rounds):
        for workers in [*fixed, "auto"]:
            runs[workers].append(run(options, capacity, workers))
    medians = {workers: median(runs[workers]) for workers in runs}
    best = max(medians[workers].throughput for workers in fixed)
    enough = next(workers for workers in fixed if medians[workers].throughput >= NEAR * best)
    for workers, (throughput, mean, peak, settled, flat) in medians.items():
        remark = f"settled at {settled:g}, flat from {flat:g}" if settled else "enough" if workers == enough else ""
        print(f"{capacity:8} {workers:>8} {throughput:8.1f} {100 * throughput / best:6.1f} % {mean:8.2f} "
              f"{mean / medians[enough].mean:6.2f} x {peak:6g}  {remark}", flush=True)
    auto = medians["auto"]
    is_fast = auto.throughput >= options.bar.throughput * best
    is_modest = auto.mean <= options.bar.in_flight * medians[enough].mean
    return is_fast and is_modest


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", metavar="FETCHPAGES", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--capacities", type=lambda text: [int(part) for part in text.split(",")], default=[4, 16, 64])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", default="threads")
    parser.add_argument("--latency", default="50ms")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    options.bar, options.shares = FULL, SHARES
    if options.short:
        options.capacities, options.rounds, options.bar, options.shares = [16], 1, WIDE, (0.5, 1.0, 2.0)
    return options


def main():
    # Requests to 127.0.0.1 must not go through a proxy.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    options = arguments()
    print(f"{'capacity':>8} {'workers':>8} {'pages/s':>8} {'of best':>8} {'in flight':>8} {'':8} {'peak':>5}")
    failed = [capacity for capacity in options.capacities if not compare(options, capacity)]
    if failed:
        throughput, in_flight = options.bar
        sys.exit(f"FAILED: auto has not {throughput:.0%} of the best throughput with {in_flight} times the requests in "
                 f"flight, at capacity {', '.join(map(str, failed))}")


if __name__ == "__main__":
    main()
