#!/usr/bin/env python3
"""Checks a release build against real servers and real proxies.

usage: real_servers.py FETCHPAGES [PART]...

The servers come from Debian packages, unpacked without installing, and from PyPI; they run on free
ports of 127.0.0.1 and end with this script. What they logged is compared with what fetchpages said.
"""
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True  # an import shall leave nothing in the work tree

from real_inputs import BIN, PACKAGES, WORK, check, debian, fail, free_port, user

LIMIT = 120  # seconds: whatever takes longer hangs
PASSWORD, QUOTED = "hush@hush", "hush%40hush"
SECRETS = (PASSWORD, QUOTED, base64.b64encode(f"user:{PASSWORD}".encode()).decode())
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SITE = {f"page-{number:02}.html": f"<title>{number}</title>\n" + f"<p>This is page {number}.\n" * (30 + 5 * number)
        for number in range(60)}


def get(url):
    with DIRECT.open(url, timeout=LIMIT) as response:
        return response.read()


def wait_until(is_so, what):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if is_so():
                return
        time.sleep(0.05)
    fail(f"{what} did not come in {LIMIT} s")


def fetch(name, *arguments, code=0, env=None):
    """Downloads into the directory NAME; returns the last run's records by URL, and the process."""
    command = [BIN, *map(str, arguments), "-o", str(WORK / name), "--progress", "none"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=WORK, env=ENVIRONMENT | (env or {}),
                              stdin=subprocess.DEVNULL, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        fail(f"{command} did not end in {LIMIT} s")
    check(done.returncode == code, f"{command} ended with {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
    path = WORK / name / "manifest.jsonl"
    text = path.read_text() if path.exists() else ""
    for place, output in (("stdout", done.stdout), ("stderr", done.stderr), ("the manifest", text)):
        check(not any(secret in output for secret in SECRETS), f"{command} shows the password in {place}\n{output}")
    pages = {}
    for record in map(json.loads, text.splitlines()):
        if record["kind"] == "run":
            pages.clear()
        elif record["kind"] == "page":
            check(record["url"] not in pages, f"{command}: {record['url']} has two records")
            pages[record["url"]] = record
    return pages, done


def expect(page, state, error=None, status=None):
    found = page["state"], page["error"] and page["error"]["code"]
    check(found == (state, error), f"{page['url']} is {found}, not {state, error}: {page}")
    check(status is None or page["status"] == status, f"{page['url']}: status {page['status']}, not {status}")
    check(error is None or page["error"]["message"], f"{page['url']} failed without a message: {page}")


def expect_site(name, site, pages):
    """Checks that every page of the site is saved in the directory NAME, byte for byte."""
    check(set(pages) == {f"{site}/{file}" for file in SITE}, f"{name}: other pages than the site's: {sorted(pages)}")
    for file, text in SITE.items():
        page = pages[f"{site}/{file}"]
        expect(page, "saved")
        check((WORK / name / page["file"]).read_bytes() == text.encode(), f"{name}: {file} differs")


@contextlib.contextmanager
def serve(name, command, is_ready):
    """Runs a server until the end of the block; what it prints goes to a file of its name."""
    with open(WORK / f"{name}.log", "wb") as log:
        server = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=WORK,
                                  env=ENVIRONMENT | {"HOME": str(WORK)}, start_new_session=True)
    def is_up():
        check(server.poll() is None, f"{name} ended with {server.returncode}\n{(WORK / f'{name}.log').read_text()}")
        return is_ready()
    try:
        wait_until(is_up, name)
        yield
    finally:
        # Its helper processes belong to its group.
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(server.pid, how)
                server.wait(10)


def is_open(port):
    socket.create_connection(("127.0.0.1", port), 5).close()
    return True


def wait_for_log(name, text):
    wait_until(lambda: text in (WORK / f"{name}.log").read_text(), f"{text!r} in the log of {name}")


def from_pypi():
    """A virtual environment with the servers that are Python packages."""
    venv = PACKAGES / "venv"
    if not (venv / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", "httpbin==0.10.4", "proxy.py==2.4.10"], check=True)
        (venv / "ready").touch()
    return venv / "bin"


NGINX = """
daemon off; pid {base}/nginx.pid; error_log {base}/nginx.err crit; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  types {{ text/html html; }} gzip on;
  log_format ci '$server_port $status $request_uri $connection $http_via'; access_log {base}/access.log ci;
  client_body_temp_path {base}/t1; proxy_temp_path {base}/t2; fastcgi_temp_path {base}/t3;
  uwsgi_temp_path {base}/t4; scgi_temp_path {base}/t5;
  limit_req_zone $server_port zone=pages:1m rate=20r/s;
  server {{ {open} root {root}; location /mark/ {{ return 204; }} }}
  server {{ listen 127.0.0.1:{polite}; listen 127.0.0.1:{patient}; listen 127.0.0.1:{paced}; root {root};
    limit_req zone=pages burst=10 nodelay; limit_req_status 429; add_header Retry-After 1 always; }}
  server {{ listen 127.0.0.1:{curt}; root {root}; limit_req zone=pages burst=10 nodelay; }}
}}
"""


class Nginx:
    """One site on ports of their own limits: `open` has no limit; above 20/s `curt` answers 503, and the others 429 with Retry-After."""

    def __init__(self, stack):
        self.base, self.marks, self.seen = WORK / "nginx", 0, 0
        self.root = self.base / "site"
        self.root.mkdir(parents=True)
        links = "".join(f'<li><a href="{file}">{file}</a>\n' for file in SITE)
        (self.root / "index.html").write_text(f"<title>Index</title>\n<ul>\n{links}</ul>\n")
        for file, text in SITE.items():
            (self.root / file).write_text(text)
        ports = {name: free_port() for name in ("open", "polite", "patient", "paced", "curt")}
        self.url = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self.open = self.url["open"]
        # Some resolvers give localhost's IPv6 address first, and some systems have none.
        self.local = f"http://localhost:{ports['open']}"
        hosts = ["127.0.0.1"]
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", ports["open"]))
            hosts.append("[::1]")
        listen = " ".join(f"listen {host}:{ports['open']};" for host in hosts)
        (self.base / "nginx.conf").write_text(NGINX.format(**ports | {"open": listen}, base=self.base, root=self.root))
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or debian("nginx", "usr/sbin/nginx")
        stack.enter_context(serve("nginx", [program, "-c", self.base / "nginx.conf", "-p", self.base, "-g", user()],
                                  lambda: get(f"{self.open}/index.html")))
        self.requests()

    def requests(self):
        """Returns the requests since the last call, as (status, path, proxies on the way)."""
        # nginx has one worker, which logs in order: once this request is in the log, all are.
        self.marks += 1
        get(f"{self.open}/mark/{self.marks}")
        lines = []
        def is_marked():
            lines[:] = (self.base / "access.log").read_text().splitlines()[self.seen:]
            return any(line.split()[2] == f"/mark/{self.marks}" for line in lines)
        wait_until(is_marked, "nginx's log")
        self.seen += len(lines)
        requests, first = [], {}
        for _, status, path, connection, via in (line.split(" ", 4) for line in lines):
            # Some proxies name themselves in the first request of a connection only.
            via = first.setdefault(connection, via)
            if not path.startswith("/mark/"):
                requests.append((int(status), path, via))
        return requests


def index(site):
    return "--index", f"{site}/index.html", "--select", "a"


def of_pages(requests):
    return {status for status, path, _ in requests if path.startswith("/page-")}


def nginx(servers):
    """The program adapts to rate limits, or follows the given one; unchanged pages are not sent again."""
    site = servers.nginx
    site.requests()
    # An answer with Retry-After uses up no retry.
    for name, refusal, retries in (("polite", 429, 3), ("patient", 429, 0), ("curt", 503, 12)):
        url = site.url[name]
        pages, _ = fetch(name, *index(url), "--mode", "threads", "-j", 16, "--retry", retries, "--rate", "none")
        expect_site(name, url, pages)
        statuses = [status for status, *_ in site.requests()]
        check(refusal in statuses, f"nginx never answered {refusal}: its limit was not reached")
        print(f"nginx: 60 pages byte-equal in spite of {statuses.count(refusal)} answers {refusal}, --retry {retries}")

    pages, _ = fetch("paced", *index(site.url["paced"]), "--mode", "threads", "-j", 16, "--rate", "15/s")
    expect_site("paced", site.url["paced"], pages)
    requests = site.requests()
    check({status for status, *_ in requests} == {200, 404}, f"with --rate 15/s nginx answered {requests}")
    robots = [status for status, path, _ in requests if path == "/robots.txt"]
    check(robots == [404], f"robots.txt was asked for {len(robots)} times: {robots}")
    print("nginx: 60 pages at 15/s and no 429; robots.txt asked for once")

    pages, _ = fetch("update", *index(site.open))
    expect_site("update", site.open, pages)
    site.requests()
    pages, _ = fetch("update", *index(site.open), "--update")
    for page in pages.values():
        expect(page, "unchanged", status=304)
    requests = site.requests()
    check(len(pages) == 60 and of_pages(requests) == {304}, f"unchanged pages were sent again: {requests}")
    altered = site.root / "page-07.html"
    try:
        altered.write_text("another text\n")
        os.utime(altered, (2_000_000_000, 2_000_000_000))
        pages, _ = fetch("update", "-N")
        changed = pages.pop(f"{site.open}/page-07.html")
        expect(changed, "saved", status=200)
        check((WORK / "update" / changed["file"]).read_text() == "another text\n", "the altered page is not there")
        for page in pages.values():
            expect(page, "unchanged", status=304)
        check(len(pages) == 59, f"{len(pages)} pages are unchanged, not 59")
    finally:
        altered.write_text(SITE[altered.name])
    print("nginx: --update had 60 answers 304, then 59 and the altered page")


def httpbin(servers):
    """Statuses, redirects, encodings, limits and credentials."""
    site = servers.httpbin
    password = "".join(f"%{byte:02x}" for byte in PASSWORD.encode())  # encoded, so that it is recognised in output
    basic = f"{site}/basic-auth/user/{password}"
    expected = {
        "/status/404": ("failed", "http", 404), "/status/503": ("failed", "http", 503),
        "/status/204": ("failed", "http", 204), "/redirect/3": ("saved", None, 200),
        "/redirect/20": ("failed", "redirects", None), "/gzip": ("saved", None, 200),
        "/deflate": ("saved", None, 200), "/brotli": ("saved", None, 200),
        "/response-headers?Retry-After=2": ("saved", None, 200), "/encoding/utf8": ("saved", None, 200),
        basic.removeprefix(site): ("failed", "http", 401),
    }
    pages, _ = fetch("httpbin", *(site + path for path in expected), "--retry", 1, code=3)
    check(len(pages) == len(expected), f"{len(pages)} pages, not {len(expected)}")
    for path, (state, error, status) in expected.items():
        expect(pages[site + path], state, error, status)
    def saved(path):
        return (WORK / "httpbin" / pages[site + path]["file"]).read_bytes()
    for path, attempts in (("/status/404", 1), ("/status/503", 2), ("/response-headers?Retry-After=2", 1)):
        page = pages[site + path]
        check(page["attempts"] == attempts, f"{path} took {page['attempts']} attempts, not {attempts}")
    for path, key in (("/gzip", "gzipped"), ("/deflate", "deflated"), ("/brotli", "brotli")):
        check(json.loads(saved(path))[key] is True, f"{path} is not decoded")
    check(pages[f"{site}/redirect/3"]["final_url"] == f"{site}/get", f"{pages[f'{site}/redirect/3']}")
    check(saved("/encoding/utf8") == get(f"{site}/encoding/utf8"), "/encoding/utf8 differs")

    for number, (path, limit, code) in enumerate((
            ("/drip?numbytes=5&duration=20", ("--max-time", "2s"), "max-time"),
            ("/delay/5", ("--read-timeout", "1s"), "first-byte-timeout"),
            ("/stream-bytes/100000", ("--max-size", "50kB"), "too-large"))):
        pages, _ = fetch(f"limit-{number}", site + path, *limit, "--retry", 0, code=3)
        expect(pages[site + path], "failed", code)

    pages, _ = fetch("basic", basic, "-u", f"user:{PASSWORD}")
    expect(pages[basic], "saved")
    pages, _ = fetch("basic-wrong", basic, "-u", "user:wrong", code=3)
    expect(pages[basic], "failed", "http", 401)

    for state, status in (("saved", 200), ("unchanged", 304)):
        pages, _ = fetch("etag", f"{site}/etag/abc", "-N")
        expect(pages[f"{site}/etag/abc"], state, status=status)
    print("httpbin: statuses, redirects, encodings, limits, credentials and ETags as they should be")


CADDYFILE = """
{{
  admin off
  skip_install_trust
  auto_https disable_redirects
  storage file_system {base}
}}
https://localhost:{port} {{
  bind 127.0.0.1
  tls internal
  root * {root}
  encode zstd gzip
  file_server
  log {{
    output file {base}/access.log
  }}
}}
"""


class Caddy:
    """The same site over TLS with an authority of its own, HTTP/2 and zstd."""

    def __init__(self, stack, root):
        self.base, port = WORK / "caddy", free_port()
        self.base.mkdir()
        self.site = f"https://localhost:{port}"
        self.authority = self.base / "pki/authorities/local/root.crt"
        (self.base / "Caddyfile").write_text(CADDYFILE.format(base=self.base, port=port, root=root))
        command = [debian("caddy", "usr/bin/caddy"), "run", "--adapter", "caddyfile",
                   "--config", self.base / "Caddyfile"]
        stack.enter_context(serve("caddy", command, lambda: self.authority.exists() and is_open(port)))


def caddy(servers):
    """TLS with a private authority, HTTP/2 and zstd."""
    site, page = servers.caddy.site, f"{servers.caddy.site}/page-59.html"
    pages, _ = fetch("caddy", *index(site), "--cacert", servers.caddy.authority)
    expect_site("caddy", site, pages)
    versions = {page["http"] for page in pages.values()}
    check(versions == {"2"}, f"HTTP versions {versions}")
    log = [json.loads(line) for line in (servers.caddy.base / "access.log").read_text().splitlines()]
    log = [entry for entry in log if entry["request"]["uri"] == "/page-59.html"]
    check(log and log[0]["resp_headers"]["Content-Encoding"] == ["zstd"], f"not compressed with zstd: {log}")
    check(pages[page]["wire_bytes"] < pages[page]["bytes"], f"the wire's bytes are not counted: {pages[page]}")
    pages, _ = fetch("caddy-untrusted", page, "--retry", 0, code=3)
    expect(pages[page], "failed", "tls")
    pages, _ = fetch("caddy-insecure", page, "-k")
    expect(pages[page], "saved")
    print("caddy: 60 pages byte-equal over HTTP/2 and zstd; without its authority a tls failure")


TINYPROXY = """
Listen 127.0.0.1
Port {port}
Allow 127.0.0.1
ConnectPort {connect}
LogLevel Connect
MaxClients 100
"""


def start_tinyproxy(stack, site):
    port = free_port()
    (WORK / "tinyproxy.conf").write_text(TINYPROXY.format(port=port, connect=site.rpartition(":")[2]))
    command = [debian("tinyproxy-bin", "usr/bin/tinyproxy"), "-d", "-c", WORK / "tinyproxy.conf"]
    stack.enter_context(serve("tinyproxy", command, lambda: is_open(port)))
    return f"127.0.0.1:{port}"


def ways(requests):
    """Returns the proxies of each request, from the Via header that proxies add."""
    return {via for _, _, via in requests}


def tinyproxy(servers):
    """A plain proxy: GET and CONNECT, refusals, environment variables."""
    site, tls, proxy = servers.nginx, servers.caddy.site, f"http://{servers.tinyproxy}"
    site.requests()
    def check_way(name, is_proxied, *arguments, env=None):
        pages, _ = fetch(name, *index(site.open), *arguments, env=env)
        expect_site(name, site.open, pages)
        requests = site.requests()
        check(len(requests) >= 62, f"{name}: {len(requests)} requests for index, robots.txt and 60 pages: {requests}")
        check(all(("tinyproxy" in way) == is_proxied for way in ways(requests)), f"{name}: {requests}")
    check_way("proxy", True, "-x", proxy)
    check_way("proxy-variable", True, env={"http_proxy": proxy, "no_proxy": "example.org"})
    check_way("proxy-not", False, env={"http_proxy": proxy, "no_proxy": "example.org,127.0.0.1"})

    pages, _ = fetch("proxy-connect", *index(tls), "-x", proxy, "--cacert", servers.caddy.authority)
    expect_site("proxy-connect", tls, pages)
    wait_for_log("tinyproxy", f"CONNECT {tls.removeprefix('https://')} ")
    other = f"https://localhost:{free_port()}/"
    pages, _ = fetch("proxy-refuses", other, "-x", proxy, "--retry", 0, code=3)
    expect(pages[other], "failed", "proxy")
    print("tinyproxy: 60 pages by -x, by http_proxy and by CONNECT; no_proxy excludes hosts, and a refusal fails the page")


def start_microsocks(stack):
    port = free_port()
    command = [debian("microsocks", "usr/bin/microsocks"), "-i", "127.0.0.1", "-p", port, "-u", "user", "-P", PASSWORD]
    stack.enter_context(serve("microsocks", command, lambda: is_open(port)))
    return f"127.0.0.1:{port}"


def microsocks(servers):
    """SOCKS5 with a password, and names that the proxy resolves."""
    site, proxy = servers.nginx.local, f"socks5h://user:{QUOTED}@{servers.microsocks}"
    pages, _ = fetch("socks", *index(site), "-x", proxy)
    expect_site("socks", site, pages)
    wait_for_log("microsocks", f"connected to {site.removeprefix('http://')}")
    page = f"{servers.caddy.site}/page-00.html"
    pages, _ = fetch("socks-tls", page, "--cacert", servers.caddy.authority, env={"all_proxy": proxy})
    expect(pages[page], "saved")
    wait_for_log("microsocks", f"connected to {servers.caddy.site.removeprefix('https://')}")
    page = f"{site}/page-00.html"
    pages, _ = fetch("socks-wrong", page, "-x", f"socks5h://user:wrong@{servers.microsocks}", "--retry", 0, code=3)
    expect(pages[page], "failed", "proxy")
    print("microsocks: 60 pages of a name that the proxy resolved; a wrong password is a proxy failure")


def start_proxy_py(stack):
    port = free_port()
    command = [from_pypi() / "proxy", "--hostname", "127.0.0.1", "--port", port, "--basic-auth", f"user:{PASSWORD}",
               "--num-workers", 1, "--num-acceptors", 1, "--data-dir", WORK / "proxy_py"]
    stack.enter_context(serve("proxy.py", command, lambda: is_open(port)))
    return f"127.0.0.1:{port}"


def proxy_py(servers):
    """A proxy that needs a password, which goes to no other server."""
    site, tls, proxy = servers.nginx, servers.caddy.site, servers.proxy_py
    trust = "--cacert", servers.caddy.authority
    site.requests()
    right = f"http://user:{QUOTED}@{proxy}"
    pages, _ = fetch("authorized", *index(site.open), "-x", right)
    expect_site("authorized", site.open, pages)
    requests = site.requests()
    check(all("proxy.py" in way for way in ways(requests)), f"not by the proxy: {requests}")
    pages, _ = fetch("authorized-connect", *index(tls), "-x", right, *trust)
    expect_site("authorized-connect", tls, pages)
    for number, credentials in enumerate(("", "user:wrong@")):
        for page in (f"{site.open}/page-00.html", f"{tls}/page-00.html"):
            name = f"unauthorized-{number}-{page.partition(':')[0]}"
            pages, _ = fetch(name, page, "-x", f"http://{credentials}{proxy}", "--retry", 0, *trust, code=3)
            expect(pages[page], "failed", "proxy")
    check(not site.requests(), "a request passed without the password")
    print("proxy.py: 60 pages with the password, by GET and by CONNECT; proxy failures without")


def rotation(servers):
    """Several proxies take turns, and a dead one delays no page."""
    site, dead = servers.nginx, f"127.0.0.1:{free_port()}"
    site.requests()
    proxies = [f"http://{servers.tinyproxy}", f"http://{dead}", f"http://user:{QUOTED}@{servers.proxy_py}"]
    (WORK / "proxies.txt").write_text("\n".join(proxies) + "\n")
    pages, done = fetch("rotation", *index(site.open), "-x", f"@{WORK / 'proxies.txt'}", "--retry", 5)
    expect_site("rotation", site.open, pages)
    requests = site.requests()
    check(all(ways(requests)), f"a request came without a proxy: {requests}")
    counts = [sum(name in via for _, _, via in requests) for name in ("tinyproxy", "proxy.py")]
    check(all(counts), f"a proxy was left out: {requests}")
    for address in (servers.tinyproxy, dead, servers.proxy_py):
        check(re.search(rf"^proxy\b.*{re.escape(address)}", done.stdout, re.M), f"{address} is not in the summary\n{done.stdout}")
    print(f"rotation: 60 pages, {counts[0]} requests by tinyproxy, {counts[1]} by proxy.py, none by a dead one")


class Servers:
    def __init__(self, stack):
        self.nginx = Nginx(stack)
        self.caddy = Caddy(stack, self.nginx.root)
        self.tinyproxy = start_tinyproxy(stack, self.caddy.site)
        self.microsocks = start_microsocks(stack)
        self.proxy_py = start_proxy_py(stack)
        port = free_port()
        self.httpbin = f"http://127.0.0.1:{port}"
        command = [from_pypi() / "flask", "--app", "httpbin", "run", "--host", "127.0.0.1", "--port", port]
        stack.enter_context(serve("httpbin", command, lambda: get(f"{self.httpbin}/get")))


PARTS = nginx, httpbin, caddy, tinyproxy, microsocks, proxy_py, rotation


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # An nginx that root starts works under an account that cannot read a private folder.
    WORK.chmod(0o755)
    try:
        parts = {part.__name__: part for part in PARTS}
        wanted = sys.argv[2:] or list(parts)
        check(set(wanted) <= set(parts), f"the parts are {', '.join(parts)}")
        with contextlib.ExitStack() as stack:
            servers = Servers(stack)
            for name in wanted:
                parts[name](servers)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print("real servers: all passed")


if __name__ == "__main__":
    main()
