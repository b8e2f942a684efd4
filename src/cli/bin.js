#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it says what they lack instead of failing on the first type.
const NEEDED = 24
if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `nightshift needs Node ${NEEDED} or newer and this is ${process.version}: start it with "npx nightshift", which brings its own Node, or install Node ${NEEDED}.\n`,
  )
  process.exitCode = 2
} else {
  // Node strips no types under node_modules: an installed package runs what was built when it was packed.
  const isInstalled = import.meta.url.includes('/node_modules/')
  void import(isInstalled ? '../../dist/cli/main.js' : './main.ts').then(({ runFromShell }) => runFromShell())
}
