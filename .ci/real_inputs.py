#!/usr/bin/env python3
"""Checks a release build against real inputs and real servers.

usage: real_inputs.py FETCHPAGES

Every saved byte is compared with what the server holds. What is compared by time elsewhere is
only printed here: a check that depends on the machine's mood is no check.
"""
import concurrent.futures
import gzip
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

MODES = ("sequential", "threads", "rayon", "processes", "async", "hybrid")
HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE.parent.parent / "shared" / "lab"
BIN = str(pathlib.Path(sys.argv[1]).resolve())
WORK = pathlib.Path(tempfile.mkdtemp(prefix="fetchpages-ci-"))
PACKAGES = pathlib.Path(tempfile.gettempdir()) / "fetchpages-ci-packages"


def fail(text):
    sys.exit(f"FAILED: {text}")


def check(condition, text):
    if not condition:
        fail(text)


def run(*arguments, code=0, **kw):
    done = subprocess.run([BIN, *map(str, arguments)], capture_output=True, text=True, cwd=WORK, **kw)
    check(done.returncode == code,
          f"{arguments} ended with {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
    return done


def manifest(directory):
    # A full disk may tear the last line.
    lines = (directory / "manifest.jsonl").read_text().splitlines(keepends=True)
    lines = [line for line in lines if line.endswith("\n")]
    return [record for record in map(json.loads, lines) if record["kind"] == "page"]


def wait_until(is_ready, what):
    for _ in range(200):
        try:
            if is_ready():
                return
        except OSError:
            pass
        time.sleep(0.05)
    fail(f"{what} did not start")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", "User-Agent": "check (a@b.c)"})
    with urllib.request.urlopen(request) as response:
        body = response.read()
        return gzip.decompress(body) if response.headers["Content-Encoding"] == "gzip" else body


def demo():
    """The README's first command."""
    done = run("--demo", "--mode", "threads", "--workers", "32", "-o", "demo")
    check(done.stdout.startswith("Total pages: 233\nDownloaded 233 links in "), done.stdout)
    run("verify", "demo")
    print("demo: 233 pages, verified")


def wikipedia():
    """The real index and real bodies, through a stand-in for the site."""
    if not (LAB / "wikimedia.py").exists():
        print("wikipedia: skipped, the stand-in is not here")
        return
    port = free_port()
    server = subprocess.Popen([sys.executable, str(LAB / "wikimedia.py"), "--rules", "off", "--latency-ms", "5",
                               "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        site = f"http://127.0.0.1:{port}"
        wait_until(lambda: get(f"{site}/_stats"), "wikimedia.py")
        index = f"{site}/wiki/List_of_countries_by_population_(United_Nations)"
        expected = {}
        for mode in MODES:
            out = WORK / f"wikipedia-{mode}"
            run("--index", index, "--mode", mode, "-o", out)
            pages = manifest(out)
            check(len(pages) == 237, f"{mode}: {len(pages)} pages")
            for page in pages:
                if page["url"] not in expected:
                    expected[page["url"]] = get(page["url"])
                saved = (out / page["file"]).read_bytes()
                check(saved == expected[page["url"]], f"{mode}: {page['url']} differs")
            run("verify", out)
        check(len({page["file"] for page in pages}) == 237, "names repeat")
        print(f"wikipedia: 237 pages byte-equal in {', '.join(MODES)}")
    finally:
        server.terminate()
        server.wait()


INDEX = "http://en.wikipedia.org/wiki/List_of_countries_by_population_(United_Nations)"


def polite_run(out, mode, flaky, *more):
    """Downloads the default target with its rules enforced, through a proxy; returns the stand-in's counters."""
    port, stats = free_port(), WORK / f"{out}.json"
    server = subprocess.Popen([sys.executable, str(LAB / "wikimedia.py"), "--port", str(port), "--flaky", str(flaky),
                               "--stats", str(stats)], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: get(f"http://127.0.0.1:{port}/_stats"), "wikimedia.py")
        done = run("-x", f"http://127.0.0.1:{port}", "--index", INDEX, "--contact", "check@example.net", "--mode", mode,
                   "--workers", 32, "-o", WORK / out, *more)
        check(done.stdout.startswith("Total pages: 237\nDownloaded 237 links in "), done.stdout)
        run("verify", WORK / out)
    finally:
        server.terminate()
        server.wait()
    return done, json.loads(stats.read_text())


def polite():
    """Wikipedia's rules hold by default, in every mode; a run that overrides them still ends well."""
    if not (LAB / "wikimedia.py").exists():
        print("polite: skipped, the stand-in is not here")
        return
    cases = [(f"polite-{mode}-{flaky}", mode, flaky, *("--retry", "8")) for mode in MODES for flaky in (0, 10)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (name, *_), (done, counters) in zip(cases, pool.map(lambda case: polite_run(*case), cases)):
            check("en.wikipedia.org: at most 9 open and 19/s by its policy" in done.stderr, done.stderr)
            refused = counters.get("refused_rate", 0), counters.get("refused_agent", 0)
            check(refused == (0, 0) and counters["open_peak"] <= 9 and counters["robots_fetched"] == 1,
                  f"{name}: {counters}")
            print(f"{name}: 237 saved, {counters}")
    for mode in MODES:
        _, counters = polite_run(f"bold-{mode}", mode, 0, "--per-host", 32, "--rate", "none")
        check(mode == "sequential" or counters["refused_rate"] > 0, f"{mode} was not refused: {counters}")
        print(f"bold-{mode}: 237 saved all the same, {counters}")


def debian(package, file):
    """Returns the path of FILE from a Debian package, unpacked without installing, so that no service starts."""
    target = PACKAGES / package
    if not (target / file).exists():
        target.mkdir(parents=True, exist_ok=True)
        def download():
            return subprocess.run(["apt-get", "download", package], cwd=target, capture_output=True).returncode == 0
        if not download():
            subprocess.run(["apt-get", "update", "-qq"], check=True)
            check(download(), f"cannot download the package {package}")
        deb = max(target.glob("*.deb"))
        subprocess.run(["dpkg", "-x", str(deb), str(target)], check=True)
    return target / file


NGINX = """
daemon off; pid {base}/nginx.pid; error_log {base}/nginx.err warn; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type text/plain; charset utf-8; types {{ text/html html; text/css css; }}
  gzip on; gzip_types text/plain;
  client_body_temp_path {base}/t1; proxy_temp_path {base}/t2; fastcgi_temp_path {base}/t3;
  uwsgi_temp_path {base}/t4; scgi_temp_path {base}/t5;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def python_documentation():
    """A real site of 530 pages behind a real server."""
    root = debian("python3.11-doc", "usr/share/doc/python3.11/html")
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or debian("nginx", "usr/sbin/nginx")
    base, port = WORK / "nginx", free_port()
    base.mkdir()
    (base / "nginx.conf").write_text(NGINX.format(base=base, port=port, root=root))
    # An nginx that root starts works under an account that cannot read a private folder.
    WORK.chmod(0o755)
    server = subprocess.Popen([program, "-c", str(base / "nginx.conf"), "-p", str(base), "-g", user()],
                              stderr=subprocess.DEVNULL)
    try:
        site = f"http://127.0.0.1:{port}"
        wait_until(lambda: get(f"{site}/contents.html"), "nginx")
        for mode in MODES:
            out = WORK / f"python-{mode}"
            run("--index", f"{site}/contents.html", "--select", "a.reference.internal", "--layout", "tree",
                "--mode", mode, "-o", out, code=3)
            pages = manifest(out)
            check(len(pages) == 481, f"{mode}: {len(pages)} pages")
            # Debian leaves the changelog page out, and the index names it all the same.
            missing = [page["url"] for page in pages if page["state"] != "saved"]
            check(missing == [f"{site}/whatsnew/changelog.html"], f"{mode}: not saved: {missing}")
            for page in pages:
                original = root / page["url"].removeprefix(f"{site}/")
                check(original.exists() == (page["state"] == "saved"), f"{mode}: {page['url']} is {page['state']}")
                if page["state"] == "saved":
                    check((out / page["file"]).read_bytes() == original.read_bytes(), f"{mode}: {page['url']} differs")
                else:
                    check((page["status"], page["error"]["code"]) == (404, "http"), f"{mode}: {page}")
            run("verify", out)
        print(f"python documentation: 481 pages, 480 byte-equal and 1 a 404, in {', '.join(MODES)}")
    finally:
        server.terminate()
        server.wait()


def user():
    return "user root;" if os.geteuid() == 0 else ""


# Runs a command and prints its peak memory. A process of its own, because a child's peak begins
# with that of the process that it is forked from, and this one holds the pages it compares.
PEAK = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def a_million_urls():
    """A long list is streamed: its plan takes little memory at any length."""
    count, path = 1_000_000, WORK / "urls.txt"
    dice = random.Random(7)
    with open(path, "w") as urls:
        for i in range(count):
            urls.write(f"https://example-{dice.randrange(1000)}.org/wiki/Some_page_{i}?id={dice.randrange(10**9)}\n")
    out = WORK / "plan.txt"
    start = time.monotonic()
    with open(out, "wb") as plan:
        done = subprocess.run([sys.executable, "-c", PEAK, BIN, "links", "-i", str(path)], stdout=plan,
                              stderr=subprocess.PIPE, text=True)
    seconds = time.monotonic() - start
    check(done.returncode == 0, f"links ended with status {done.returncode}: {done.stderr}")
    with open(out, "rb") as plan:
        check(sum(1 for _ in plan) == count, "the plan has another length")
    megabytes = int(done.stderr.split()[-1]) / 1024
    print(f"links -i: {count:,} URLs in {seconds:.2f} s ({count / seconds:,.0f}/s), {megabytes:.1f} MB at most")
    check(megabytes <= 64, "a million URLs take more than 64 MB")
    path.unlink()
    out.unlink()


def full_disk():
    """A full disk ends the run with 1, and pages saved before are complete."""
    disk = WORK / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        print("full disk: skipped, no file system can be mounted here")
        return
    try:
        done = run("--demo", "--latency", "0", "-o", disk / "pages", code=1)
        # A page or the manifest met the full disk first.
        check("\nerror: " in done.stderr and "failed to write" in done.stderr, done.stderr)
        check("\ncaused by: No space left on device" in done.stderr, done.stderr)
        pages = [page for page in manifest(disk / "pages") if page["state"] == "saved"]
        check(pages, "nothing was saved before the disk was full")
        for page in pages:
            body = (disk / "pages" / page["file"]).read_bytes()
            check(hashlib.sha256(body).hexdigest() == page["sha256"], f"{page['file']} is not whole")
        left = [name for name in os.listdir(disk / "pages") if name.startswith(".")]
        check(not left, f"staged files are left: {left}")
        subprocess.run(["mount", "-o", "remount,size=300m", str(disk)], check=True)
        done = run("--demo", "--latency", "0", "-o", disk / "pages", "--resume")
        check(f"{len(pages)} skipped" in done.stdout, done.stdout)
        run("verify", disk / "pages")
        print(f"full disk: ended with 1, {len(pages)} pages saved before are whole, and the rest is resumed")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for part in (demo, wikipedia, polite, python_documentation, a_million_urls, full_disk):
            part()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print("real inputs: all passed")


if __name__ == "__main__":
    main()
