#!/usr/bin/env python3
"""Opens a report page in headless Chromium: report_in_browser.py CHROMIUM WRITE_REPORT_EXAMPLE [SCREENSHOTS]

Checks that the console stays clean, that nothing is loaded, that tables sort, that no two texts of a figure overlap or
leave it, that the page fits a phone, and that light and dark differ with readable contrast. With a third argument,
screenshots are left in that folder to be looked at.
"""
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile

PROBE = """
<script>
'use strict';
const result = {};
result.loaded = performance.getEntriesByType('resource').filter((entry) => !entry.name.startsWith('data:')).map((entry) => entry.name);
const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
result.repeated_ids = ids.filter((id, place) => ids.indexOf(id) !== place);
result.figures = document.querySelectorAll('svg').length;
result.figures_without_words = [...document.querySelectorAll('svg')].filter(
    (svg) => !svg.getAttribute('aria-label') || !document.getElementById(svg.getAttribute('aria-describedby'))).length;
result.tables_without_caption = [...document.querySelectorAll('table')].filter((table) => !table.caption).length;

// Texts may touch but not overlap: half a pixel is rounding.
const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2.5;
result.overlaps = [];
result.outside = [];
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent.trim(), text.getBoundingClientRect()])
      .filter(([words]) => words);
  boxes.forEach(([words, box], place) => {
    if (box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5)
      result.outside.push([svg.getAttribute('aria-label'), words]);
    for (const [other, box_of_other] of boxes.slice(place + 1))
      if (overlap(box, box_of_other)) result.overlaps.push([svg.getAttribute('aria-label'), words, other]);
  });
}

result.unsorted = [];
result.sorted = 0;
for (const table of document.querySelectorAll('table')) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    for (const direction of ['ascending', 'descending']) {
      heading.querySelector('button').click();
      const keys = [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.sort).filter((key) => key !== '');
      const numeric = heading.classList.contains('number');
      const wrong = keys.some((key, place) => {
        if (place === 0) return false;
        const step = numeric ? Number(key) - Number(keys[place - 1]) : key.localeCompare(keys[place - 1], 'en', {numeric: true});
        return direction === 'ascending' ? step < 0 : step > 0;
      });
      if (wrong || heading.getAttribute('aria-sort') !== direction) result.unsorted.push(heading.textContent);
      result.sorted += 1;
    }
  });
}

document.documentElement.style.width = '360px';
result.phone_width = document.body.scrollWidth;
const style = getComputedStyle(document.body);
result.page = style.backgroundColor;
result.ink = style.color;
result.figure_ink = getComputedStyle(document.querySelector('svg text').parentElement).fill;
document.body.textContent = 'RESULT' + JSON.stringify(result) + 'END';
</script>
"""

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0"]
DARK = "--blink-settings=preferredColorScheme=0"


def chromium(program, profile, arguments):
    run = subprocess.run([program, *FLAGS, f"--user-data-dir={profile}", *arguments], capture_output=True, text=True, timeout=240)
    if run.returncode != 0:
        raise SystemExit(f"chromium failed: {run.stderr[-500:]}")
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def luminance(colour):
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def main(program, writer, screenshots=None):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        page, probe = folder / "report.html", folder / "probe.html"
        subprocess.run([writer, str(page)], check=True)
        probe.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
        backgrounds = []
        for name, extra in (("light", []), ("dark", [DARK])):
            shown, console = chromium(program, folder / name, [*extra, "--window-size=1100,1400", "--dump-dom", probe.as_uri()])
            found = re.search(r"RESULT(.*)END", shown, re.S)
            assert found, f"{name}: the probe did not finish: {shown[-300:]} {console}"
            result = json.loads(html.unescape(found.group(1)))
            assert not console, f"{name}: console says {console}"
            for empty in ("loaded", "repeated_ids", "unsorted", "overlaps", "outside"):
                assert not result[empty], f"{name}: {empty}: {result[empty][:12]}"
            assert result["figures"] >= 10 and result["figures_without_words"] == 0, result
            assert result["sorted"] > 100 and result["tables_without_caption"] == 0, result
            assert result["phone_width"] <= 360, f"{name}: wider than a phone: {result['phone_width']}"
            assert contrast(result["page"], result["ink"]) >= 7, result
            assert contrast(result["page"], result["figure_ink"]) >= 7, result
            backgrounds.append(luminance(result["page"]))
        assert backgrounds[0] > 0.9 and backgrounds[1] < 0.1, backgrounds
        if screenshots:
            for name, size, extra in (("desktop", "1200,3000", []), ("dark", "1200,3000", [DARK]), ("phone", "500,3000", [])):
                target = pathlib.Path(screenshots).resolve() / f"{name}.png"
                chromium(program, folder / f"shot-{name}", [*extra, f"--window-size={size}", f"--screenshot={target}", page.as_uri()])


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
