"""How the portal looks."""

CSS = """
:root { color-scheme: light dark; --page: #f5f5f7; --card: #fff; --text: #1d1d1f; --quiet: #5b5b60;
  --line: #d9d9de; --blue: #0058b8; --on-blue: #fff; --red: #b3141f; --soft: #eaf2fc; }
@media (prefers-color-scheme: dark) { :root { --page: #161618; --card: #222225; --text: #f2f2f4;
  --quiet: #aeaeb6; --line: #3b3b41; --blue: #6cb1ff; --on-blue: #0a1a2c; --red: #ff8f8f;
  --soft: #1c2b3d; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; margin: 0;
  background: var(--page); color: var(--text); }
header { background: var(--card); border-bottom: 1px solid var(--line); padding: .7rem 1.2rem; }
header a { color: inherit; font-weight: 650; text-decoration: none; margin-right: .6rem; }
main { max-width: 74rem; margin: 0 auto; padding: 1.2rem; }
h1 { font-size: 1.55rem; line-height: 1.2; margin: .3rem 0 .2rem; }
h2 { font-size: 1.1rem; margin: 0 0 .7rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .3rem 0 .8rem; } a { color: var(--blue); }
small, .quiet { color: var(--quiet); } small { font-size: .85rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 1rem 1.1rem; margin: 1rem 0; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
.cards section { margin: 0; min-width: 0; }
.row { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .8rem 2rem; align-items: end; }
.row h2 { width: 100%; margin: 0; } .row form { margin: 0; }
table { border-collapse: collapse; width: 100%; }
form + table, section > table + form { margin-top: 1rem; }
td, th { padding: .5rem .9rem .5rem 0; text-align: left; border-top: 1px solid var(--line); }
thead th { border: 0; font-weight: 600; font-size: .85rem; color: var(--quiet); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.title { display: flex; gap: .7rem; align-items: center; min-width: 12rem; }
img { width: 40px; height: 40px; border-radius: 9px; flex: none; }
.day { white-space: nowrap; } .id { overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: 0; }
form + form { margin-top: .8rem; }
label { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 100%; gap: .15rem; font-size: .85rem; color: var(--quiet); }
input, select, button { font: inherit; color: var(--text); background: var(--page);
  padding: .35rem .6rem; border: 1px solid var(--line); border-radius: 9px; max-width: 100%; }
select { max-width: 20rem; } td select { max-width: 10rem; }
input[type=number] { width: 6rem; } td form { flex-wrap: nowrap; }
button { cursor: pointer; font-weight: 550; white-space: nowrap; }
button.main { background: var(--blue); color: var(--on-blue); border-color: transparent; }
button.ends { color: var(--red); }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 1px; }
.said { border-left: 4px solid var(--blue); padding: .5rem .8rem; background: var(--soft); }
.sr { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
@media (max-width: 48rem) {
  main { padding: .8rem; } thead { display: none; } .number { text-align: left; }
  table, tbody, tr, td { display: block; } tr { border-top: 1px solid var(--line); padding: .5rem 0; }
  td { border: 0; padding: .15rem 0; } td.number { display: inline-block; margin-right: 1rem; } td:empty { display: none; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); }
  td form { flex-wrap: wrap; } select, td select { max-width: 100%; }
}
"""
