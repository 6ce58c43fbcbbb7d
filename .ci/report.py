#!/usr/bin/env python3
"""Looks at the page that `fetchpages compare --export FILE.html` writes, with a real browser.

usage: report.py FETCHPAGES [--keep DIRECTORY]

It checks a desktop, a phone and paper, light and dark: the page fetches nothing, nothing is wider than the screen, no
chart is empty, text has a contrast of at least 4.5 to its background (WCAG 2.2, 1.4.3), and dark is dark. --keep writes
the pictures to DIRECTORY. The script installs Chromium (Debian) and playwright (PyPI) if they are missing.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

VENV = pathlib.Path(tempfile.gettempdir()) / "fetchpages-report-venv"
PLAN = ["--modes", "sequential,threads,async,hybrid", "--workers", "1,4,16", "--pages", "80", "--latency", "5ms",
        "--rounds", "3", "-q", "--gate", "threads@16 <= 2 * sequential"]
SCREENS = {"desktop": (1000, 800), "phone": (360, 740)}

# Every element that shows text of its own: its colour, and the first background that is not transparent.
LOOK = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const colour = rgb(element instanceof SVGElement ? style.fill : style.color);
    const found = contrast(colour, behind(element));
    if (found < 4.5) poor.push(`${element.tagName} "${element.textContent.trim().slice(0, 30)}": ${found.toFixed(2)}`);
  }
  const charts = [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length);
  return {
    poor, sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    charts: charts.length,
    empty: charts.filter(svg => svg.querySelectorAll('rect, line, polyline, circle, path, polygon').length < 5).length,
    paper: light(behind(document.body)), words: document.body.innerText.length,
  };
}"""


def browser_python():
    """Returns a Python that has playwright; the browser itself is the system's."""
    if not shutil.which("chromium"):
        subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "-qy", "chromium"], check=True, stdout=subprocess.DEVNULL)
    if not (VENV / "bin/playwright").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin/pip", "install", "-q", "playwright"], check=True)
    return VENV / "bin/python"


def look(page, name, errors, keep):
    seen = page.evaluate(LOOK)
    if keep:
        page.screenshot(path=str(keep / f"{name}.png"), full_page=True)
    errors += [f"{name}: too little contrast: {what}" for what in seen["poor"][:5]]
    if seen["sideways"] > 0:
        errors.append(f"{name}: {seen['sideways']} pixels stick out sideways")
    if seen["charts"] < 5 or seen["empty"]:
        errors.append(f"{name}: {seen['charts']} charts, {seen['empty']} of them empty")
    if seen["words"] < 1000:
        errors.append(f"{name}: only {seen['words']} characters of text")
    is_dark = seen["paper"] < 0.1
    if is_dark != name.endswith("dark"):
        errors.append(f"{name}: the background's light is {seen['paper']:.2f}")


def check(report, keep):
    from playwright.sync_api import sync_playwright
    errors, fetched = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-quic"])
        for screen, (width, height) in SCREENS.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.on("request", lambda request: fetched.append(request.url))
                page.on("pageerror", lambda error: errors.append(f"script: {error}"))
                page.goto(report.as_uri())
                look(page, f"{screen}-{scheme}", errors, keep)
                page.close()
        page = browser.new_page(viewport={"width": 750, "height": 1000}, color_scheme="dark")
        page.goto(report.as_uri())
        page.emulate_media(media="print")
        look(page, "paper", errors, keep)
        page.pdf(path=str(report.with_suffix(".pdf")))
        browser.close()
    errors += [f"fetched {url}" for url in fetched if url != report.as_uri()]
    if report.with_suffix(".pdf").stat().st_size < 10_000:
        errors.append("paper: the PDF is empty")
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="FETCHPAGES")
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    with contextlib.suppress(ImportError):
        import playwright  # noqa: F401
        return run(args)
    python = str(browser_python())
    os.execv(python, [python, __file__, *sys.argv[1:]])


def run(args):
    with tempfile.TemporaryDirectory(prefix="fetchpages-report-") as work:
        report = pathlib.Path(work) / "report.html"
        command = [args.program, "compare", *PLAN, "--export", str(report)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(report, args.keep)
        errors = check(report, args.keep)
    for error in errors:
        print(f"FAILED: {error}")
    print(f"a report on {len(SCREENS)} screens in light and dark, and on paper: {len(errors)} things wrong")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
