#!/usr/bin/env python3
"""Kills downloads of a faulty site at random moments, resumes them, and checks that no page is lost.

usage: kills.py FETCHPAGES [--runs 20] [--seed 1] [--pages 150] [--modes MODE,MODE...]

The same --seed gives the same sites, faults, kills and damages; how far a run is when it is killed varies.
"""
import argparse
import collections
import contextlib
import gzip
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

LIMIT = 120  # seconds: a program that takes longer hangs
KILLS = 3  # of one run, at most
FAULTS = "503:6", "reset:5", "cut:4", "stall:1"  # each of them passes after some attempts
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def few(items):
    items = sorted(map(str, items))
    return f"{len(items)}: {', '.join(items[:5])}{' ...' if len(items) > 5 else ''}"


@contextlib.contextmanager
def origin(options, seed, is_sound=False):
    """Serves the embedded site, with latency and faults unless it is sound; yields the address of its index."""
    faults = [] if is_sound else ["--latency", "5ms", *(word for fault in FAULTS for word in ("--fault", fault))]
    command = [options.program, "origin", "--port", "0", "--pages", str(options.pages), "--seed", str(seed), *faults]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        has_started, _, _ = select.select([server.stdout], [], [], LIMIT)
        line = server.stdout.readline() if has_started else ""
        check(line.startswith("serving "), f"the origin does not serve: {line!r}")
        yield line.split()[1]
    finally:
        server.kill()
        server.communicate()


def start(options, index, directory, log, mode, *more):
    command = [options.program, "--index", index, "--retry", "8", "--read-timeout", "500ms", "-o", str(directory),
               "--mode", mode, "-j", "16", "--progress", "none", *more]
    with open(log, "ab") as out:
        # A group of its own: it identifies the workers of a run that was killed.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)


def end(process, kill=None, directory=None):
    """Waits for the exit code. With KILL, kills the process at that moment, and returns None then."""
    try:
        if kill is None:
            return process.wait(LIMIT)
        deadline, before = time.monotonic() + LIMIT, files(directory)
        while process.poll() is None and files(directory) - before < kill.pages:
            check(time.monotonic() < deadline, f"came to {files(directory)} pages in {LIMIT} s")
            time.sleep(0.001)
        return process.wait(kill.delay)
    except subprocess.TimeoutExpired:
        check(kill is not None, f"did not end in {LIMIT} s")
        return None
    finally:
        process.kill()  # signal 9; a process that has ended gets none
        process.wait()


def files(directory):
    return len(os.listdir(directory)) if directory.exists() else 0


def read(directory):
    """Returns the complete lines of the manifest, and the records in them."""
    path = directory / "manifest.jsonl"
    data = path.read_bytes() if path.exists() else b""
    whole = data[:data.rfind(b"\n") + 1]
    records = []
    for line in whole.split(b"\n"):
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                records.append(record)
    return whole, records


def saved_pages(records):
    """Returns the last record of each saved page by URL: a failure does not replace it."""
    return {record["url"]: record for record in records if record["kind"] == "page" and record["state"] == "saved"}


def kept_pages(records, directory):
    """Returns the pages whose file exists with its size: a resume must not fetch them again."""
    def is_whole(record):
        file = directory / record["file"]
        return file.exists() and file.stat().st_size == record["bytes"]
    return {url for url, record in saved_pages(records).items() if is_whole(record)}


def damage(directory, plan):
    """Cuts the manifest or appends rubbish, as a power cut may."""
    path = directory / "manifest.jsonl"
    data = path.read_bytes() if path.exists() else b""
    # Without the first record, the files in the directory would count as unowned.
    room = len(data) - (data.find(b"\n") + 1)
    if b"\n" not in data or plan.damage == "cut" and room == 0:
        return False
    with open(path, "r+b") as manifest:
        if plan.damage == "cut":
            manifest.truncate(len(data) - max(1, int(plan.share * room)))
        else:
            manifest.seek(0, os.SEEK_END)
            manifest.write(plan.rubbish)
    return True


# The moment of a kill: `pages` more files exist, and `delay` seconds have passed since then.
Kill = collections.namedtuple("Kill", "pages delay damage share rubbish")


def draw_kill(dice, pages):
    rubbish = dice.randbytes(dice.randint(1, 300))
    damage = dice.choice(("cut", "cut", "rubbish", "zeros")) if dice.random() < 0.25 else None
    return Kill(dice.randrange(pages), dice.random() * 0.02, damage, dice.random(),
                bytes(len(rubbish)) if damage == "zeros" else rubbish)


def check_resume(before, kept, after, directory):
    """Checks what a resume appended to the manifest, given the lines and the kept pages before it."""
    whole, records = after
    old, old_records = before
    check(whole.startswith(old), "the manifest's earlier lines are not as they were")
    new = records[len(old_records):]
    pages = [record["url"] for record in new if record["kind"] == "page"]
    again = kept.intersection(pages)
    check(not again, f"fetched again although saved, {few(again)}")
    twice = [url for url, count in collections.Counter(pages).items() if count > 1]
    check(not twice, f"several records in one run, {few(twice)}")
    check(sum(record["kind"] == "run" for record in new) <= 1, "several run records in one run")
    for record in new:
        if record["kind"] == "end":
            check(record["skipped"] == len(kept), f"{record['skipped']} skipped, not {len(kept)}: {record}")


def check_result(options, directory, plan, index, seed):
    """Checks that the directory has each page of the plan once and complete, and no other file."""
    names = set(os.listdir(directory)) - {"manifest.jsonl"}
    staged = [name for name in names if name.startswith(".fetchpages-")]
    check(not staged, f"staged files are left, {few(staged)}")
    missing, foreign = set(plan.values()) - names, names - set(plan.values())
    check(not missing and not foreign, f"missing {few(missing)}; foreign {few(foreign)}")
    done = subprocess.run([options.program, "verify", str(directory)], capture_output=True, text=True, timeout=LIMIT)
    check(done.returncode == 0, f"verify ended with {done.returncode}\n{done.stdout}{done.stderr}")
    saved = {url: record["file"] for url, record in saved_pages(read(directory)[1]).items()}
    check(saved == plan, f"the manifest's files are not the plan's, {few(set(saved.items()) ^ set(plan.items()))}")
    with origin(options, seed, is_sound=True) as sound:
        for url, file in plan.items():
            request = urllib.request.Request(urllib.parse.urljoin(sound, urllib.parse.urlsplit(url).path),
                                             headers={"Accept-Encoding": "gzip"})
            with DIRECT.open(request, timeout=LIMIT) as response:
                body = response.read()
                if response.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
            check((directory / file).read_bytes() == body, f"{file} differs from {url}")


def living(groups):
    """Yields the processes of these groups that are alive."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX" and int(group) in groups:
                yield stat.parent.name


def check_gone(groups):
    """Checks that the processes of killed runs end by themselves."""
    deadline = time.monotonic() + LIMIT
    while left := list(living(groups)):
        check(time.monotonic() < deadline, f"processes of killed runs go on, {few(left)}")
        time.sleep(0.05)


def links(options, index):
    command = [options.program, "links", "--index", index]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    check(done.returncode == 0, f"links ended with {done.returncode}\n{done.stderr}")
    plan = dict(reversed(line.split("\t")) for line in done.stdout.splitlines())
    check(len(plan) == options.pages == len(set(plan.values())), f"the plan has {len(plan)} pages: {done.stdout}")
    return plan


def run(options, number, mode, tally):
    """Runs one download with its kills to its end."""
    dice = random.Random(f"{options.seed} {number}")
    seed = dice.randrange(2**32)
    kills = [draw_kill(dice, options.pages // (turn + 1)) for turn in range(dice.randint(1, KILLS))]
    place = options.work / f"run-{number}"
    directory, groups, kept = place / "pages", [], set()
    place.mkdir()
    try:
        with origin(options, seed) as index:
            plan = links(options, index)
            for turn, kill in enumerate([*kills, None]):
                before = read(directory)
                kept = kept_pages(before[1], directory)
                log = place / f"{turn}.log"
                process = start(options, index, directory, log, mode, *(["--resume"] if turn else []))
                groups.append(process.pid)
                code = end(process, kill, directory)
                check_resume(before, kept, read(directory), directory)
                if code is not None:
                    break
                tally["kills"] += 1
                if kill.damage and damage(directory, kill):
                    tally["cut" if kill.damage == "cut" else "rubbish"] += 1
            check(code == 0, f"ended with {code}\n{log.read_text()}")
            check_result(options, directory, plan, index, seed)
            check_gone(groups)
    finally:
        for process in living(groups):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
    # A run that ended before its first kill shows nothing.
    tally["runs"] += turn > 0
    tally["kept"] += len(kept)
    tally["resumed"] += len(plan) - len(kept)
    shutil.rmtree(place)


def modes(program):
    """Returns the modes that the program's help names."""
    text = " ".join(subprocess.run([program, "-h"], capture_output=True, text=True, check=True).stdout.split())
    return re.search(r"--mode <.*?\[possible values: (.*?)\]", text)[1].split(", ")


def table(tallies):
    total = sum(tallies.values(), collections.Counter())
    print(f"{'mode':12} {'runs':>5} {'kills':>6} {'a run':>6} {'kept':>7} {'resumed':>8} {'cut':>4} {'rubbish':>8}")
    for mode, tally in [*tallies.items(), ("all", total)]:
        mean = tally["kills"] / max(1, tally["runs"])
        print(f"{mode:12} {tally['runs']:5} {tally['kills']:6} {mean:6.2f} {tally['kept']:7} {tally['resumed']:8} "
              f"{tally['cut']:4} {tally['rubbish']:8}")
    print("kept: pages saved before the last kill; resumed: after it; cut, rubbish: manifests damaged so")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", metavar="FETCHPAGES", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=150)
    parser.add_argument("--modes", type=lambda text: text.split(","), help="default: all that --help names, in turn")
    options = parser.parse_args()
    options.modes = options.modes or modes(options.program)
    options.work = pathlib.Path(tempfile.mkdtemp(prefix="fetchpages-kills-"))
    return options


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Requests to 127.0.0.1 must not go through a proxy.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    options = arguments()
    tallies = {mode: collections.Counter() for mode in options.modes}
    number = 0
    try:
        while sum(tally["runs"] for tally in tallies.values()) < options.runs:
            mode = options.modes[number % len(options.modes)]
            number += 1
            run(options, number, mode, tallies[mode])
    except Exception as failure:
        print(f"FAILED: run {number} ({mode}, --seed {options.seed}): {failure}\nkept: {options.work}", file=sys.stderr)
        if isinstance(failure, Failed):
            sys.exit(1)
        raise
    except BaseException:  # stopped from outside
        shutil.rmtree(options.work, ignore_errors=True)
        raise
    shutil.rmtree(options.work)
    table(tallies)


if __name__ == "__main__":
    main()
