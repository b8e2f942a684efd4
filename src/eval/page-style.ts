/** How the page of a trial looks: one column that a narrow window holds, light and dark. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d0d7de, #3d444d); --quiet: light-dark(#59636e, #9198a1); --soft: light-dark(#f6f8fa, #151b23); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 0.4rem; }
header p, small, .facts { color: var(--quiet); }
header p { margin: 0.2rem 0 1rem; }
pre { margin: 0.4rem 0; padding: 0.6rem 0.8rem; background: var(--soft); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
pre, code { font: 13px/1.45 ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 0.3rem 0.8rem; background: var(--soft); border-radius: 6px; margin: 0.4rem 0; }
.verdict, .status { padding: 0.1rem 0.5rem; border-radius: 999px; font-size: 0.8rem; font-weight: 600; color: #fff; background: #59636e; vertical-align: middle; }
.verdict.right, .status.ok { background: #1a7f37; }
.verdict.false-green { background: #cf222e; }
.verdict.wrong, .verdict.missed, .status.error, .status.denied, .status.unknown { background: #bc4c00; }
.faults { font-weight: 600; }
.call, .ours, .model { border-left: 3px solid var(--line); padding-left: 0.8rem; margin: 0.6rem 0; }
.call p, .ours p, .model p { margin: 0.2rem 0; }
.ours { border-color: #8250df; }
.ours > p, .model > p { font-weight: 600; font-size: 0.85rem; }
`
