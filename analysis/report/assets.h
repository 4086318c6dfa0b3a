// The style sheet and the script that stand inside every report page.
#pragma once

#include <string_view>

namespace analysis {

inline constexpr std::string_view kReportStyle = R"css(
:root { color-scheme: light dark; --page: #ffffff; --ink: #1a1a1a; --quiet: #5c5c5c; --line: #d4d4d4; --stripe: #f5f5f5; --link: #005a8f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15181b; --ink: #e6e6e6; --quiet: #a6a6a6; --line: #3a3f44; --stripe: #1d2125; --link: #6fbbea; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.3rem; line-height: 1.3; margin-top: 2.5rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin-top: 1.8rem; }
a { color: var(--link); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 0.15rem 1.5rem; margin: 0.5rem 0; }
dl div { display: grid; grid-template-columns: 8.5rem 1fr; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0 2rem; }
figcaption, caption { color: var(--quiet); font-size: 0.875rem; text-align: left; max-width: 48rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--link); }
svg { display: block; height: auto; color: var(--ink); }
svg.single-column { width: 30rem; max-width: 100%; }
svg.double-column { width: 100%; min-width: 40rem; }
svg text { font-family: "DejaVu Sans", Verdana, sans-serif; }
svg text tspan { font-family: inherit; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; margin: 0.5rem 0; }
caption { padding-bottom: 0.5rem; }
th, td { padding: 0.25rem 0.6rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; }
th.number, td.number { text-align: right; }
tbody tr:nth-child(even) { background: var(--stripe); }
th button { all: unset; cursor: pointer; font-weight: inherit; }
th button:focus-visible { outline: 2px solid var(--link); }
th button::after { content: " ↕"; color: var(--quiet); }
th[aria-sort="ascending"] button::after { content: " ↑"; color: inherit; }
th[aria-sort="descending"] button::after { content: " ↓"; color: inherit; }
summary { cursor: pointer; margin: 0.8rem 0; color: var(--link); }
pre { overflow-x: auto; padding: 0.8rem; background: var(--stripe); font-size: 0.875rem; }
.note { border-left: 3px solid #d55e00; padding-left: 0.8rem; }
@media print { details > * { display: block; } }
)css";

/// Makes every column heading a button that sorts its table; without scripts the tables are as they were written.
inline constexpr std::string_view kReportScript = R"js(
'use strict';
for (const table of document.querySelectorAll('table')) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener('click', () => {
      const direction = heading.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      const numeric = heading.classList.contains('number');
      const key = (row) => row.cells[column].dataset.sort;
      const compare = (a, b) => {
        if (key(a) === '' || key(b) === '') return (key(a) === '') - (key(b) === '');  // nothing goes last
        return direction * (numeric ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b), 'en', {numeric: true}));
      };
      const body = table.tBodies[0];
      body.replaceChildren(...[...body.rows].sort(compare));
      for (const other of headings) other.removeAttribute('aria-sort');
      heading.setAttribute('aria-sort', direction === 1 ? 'ascending' : 'descending');
    });
  });
}
)js";

}  // namespace analysis
