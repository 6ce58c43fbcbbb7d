#!/usr/bin/env python3
"""Downloads a site with faults in a fifth of its answers, in every mode, and checks the result of each page.

usage: faults.py FETCHPAGES [--pages 2000] [--seed 1] [--modes MODE,MODE...]

Every page must either be saved, equal to the site's page byte by byte, or fail with the fault that every request of it
meets. The modes run at the same time, each against a site of its own.
"""
import argparse
import collections
import concurrent.futures
import gzip
import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from kills import Failed, check, few, modes

sys.dont_write_bytecode = True
PASSING = ("503:4", "429:0.5", "429-retry-after:0.5", "reset:3", "cut:2", "partial-206:2", "stall:1", "folded-header:1",
           "stale-connection:2", "slow-accept:1")
LASTING = "redirect-loop:1.2", "endless:1.2", "bad-gzip:1.2", "wrong-length:1.2", "drip:1.2"
# The failures of pages whose fault stays; pages with a failure in RETRIED are tried again.
LASTING_CODES = {"redirects", "too-large", "decode", "truncated", "read-timeout"}
RETRIED = {"truncated", "read-timeout"}
RETRIES = 8
LARGEST = 2_000_000
SILENCE = 0.5
LIMIT = 1200  # seconds: a program that takes longer hangs


def origin(options, faults):
    words = [word for fault in faults for word in ("--fault", fault)]
    command = [options.program, "origin", "--pages", str(options.pages), "--seed", str(options.seed), *words]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return server, server.stdout.readline().split()[1]


def download(options, mode):
    """Runs one mode to its end; returns its directory and summary."""
    out = options.work / mode
    server, index = origin(options, PASSING + LASTING)
    begin = time.monotonic()
    try:
        done = subprocess.run(
            [options.program, "--index", index, "--mode", mode, "-j", "32", "--retry", str(RETRIES), "--json", "-o", str(out),
             "--read-timeout", f"{SILENCE}s", "--max-size", f"{LARGEST}B", "--progress", "none"],
            capture_output=True, text=True, timeout=LIMIT)
        check(done.returncode == 3, f"{mode} ended with {done.returncode}\n{done.stderr}")
        lasting = check_failures(index, read(out))
    finally:
        server.kill()
    return mode, out, json.loads(done.stdout), lasting, time.monotonic() - begin


def read(out):
    records = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return [record for record in records if record["kind"] == "page"]


def symptom(index, path):
    """Sends a request; returns the failure code that the answer should lead to."""
    place = urllib.parse.urlsplit(index)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        if answer.status != 200:
            return "redirects" if answer.status in (301, 302, 303, 307, 308) else str(answer.status)
        connection.sock.settimeout(SILENCE)
        body = answer.read(LARGEST + 1) if answer.chunked else answer.read()
        if len(body) > LARGEST:
            return "too-large"
        if answer.headers["Content-Encoding"] == "gzip":
            gzip.decompress(body)
        return "saved"
    except TimeoutError:
        return "read-timeout"
    except http.client.IncompleteRead:
        return "truncated"
    except gzip.BadGzipFile:
        return "decode"
    except (ConnectionError, http.client.HTTPException):
        return "reset"
    finally:
        connection.close()


def check_failures(index, pages):
    """Checks that each failed page fails the same way at every request."""
    lasting = {}
    for page in (page for page in pages if page["state"] != "saved"):
        path, code = urllib.parse.urlsplit(page["url"]).path, page["error"]["code"]
        met = {symptom(index, path) for _ in range(3)}
        # Some of the requests may meet a reset or an overload, but none may succeed.
        check("saved" not in met, f"{path} failed with {code}, and meets {met}")
        # The last attempt may have met a connection that the site accepted late.
        is_late = code == "first-byte-timeout" and page["attempts"] == RETRIES + 1
        check(code in met or is_late and met & RETRIED, f"{path} failed with {code}, and meets {met}")
        lasting[path] = (met & LASTING_CODES).pop()
    return lasting


def check_saved(options, out, pages, bodies):
    for page in pages:
        path = urllib.parse.urlsplit(page["url"]).path
        if page["state"] == "saved":
            check((out / page["file"]).read_bytes() == bodies(path), f"{out.name}: {path} differs")
    done = subprocess.run([options.program, "verify", str(out)], capture_output=True, text=True, timeout=LIMIT)
    check(done.returncode == 0, f"verify ended with {done.returncode}\n{done.stdout}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", metavar="FETCHPAGES", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modes", type=lambda text: text.split(","), help="default: all that --help names")
    options = parser.parse_args()
    options.modes = options.modes or modes(options.program)
    options.work = pathlib.Path(tempfile.mkdtemp(prefix="fetchpages-faults-"))
    sound, index = origin(options, ())
    place = urllib.parse.urlsplit(index)
    connection = http.client.HTTPConnection(place.hostname, place.port)

    def bodies(path):
        connection.request("GET", path)
        return connection.getresponse().read()

    try:
        with concurrent.futures.ThreadPoolExecutor(len(options.modes)) as pool:
            ended = list(pool.map(lambda mode: download(options, mode), options.modes))
        print(f"{'mode':12} {'saved':>6} {'retried':>8} {'seconds':>8}  failed")
        for mode, out, summary, lasting, seconds in ended:
            pages = read(out)
            check(len(pages) == options.pages == len({page["url"] for page in pages}), f"{mode}: {len(pages)} pages")
            counts = summary["saved"], summary["failed"], summary["pages"]
            states = collections.Counter(page["state"] for page in pages)
            check(counts == (states["saved"], states["failed"], options.pages), f"{mode}: {counts}, {states}")
            check_saved(options, out, pages, bodies)
            check(lasting == ended[0][3], f"{mode} and {ended[0][0]}: {few(set(lasting.items()) ^ set(ended[0][3].items()))}")
            retried = sum(page["attempts"] > 1 for page in pages)
            failures = ", ".join(f"{count} {code}" for code, count in sorted(summary["failures"].items()))
            print(f"{mode:12} {summary['saved']:6} {retried:8} {seconds:8.0f}  {failures}")
    except Failed as failure:
        print(f"FAILED: {failure}\nkept: {options.work}", file=sys.stderr)
        sys.exit(1)
    finally:
        sound.kill()
    shutil.rmtree(options.work)


if __name__ == "__main__":
    main()
