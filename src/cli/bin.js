#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it says what they lack instead of failing on the first type.
const NEEDED = 24
// A worker holds many runs that wait: a young generation of 48 MB at most, and an old one that is collected when it has grown by half, not fourfold.
const LEAN = ['--max-semi-space-size=16', '--heap-growing-percent=50']
if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `nightshift needs Node ${NEEDED} or newer and this is ${process.version}: start it with "npx nightshift", which brings its own Node, or install Node ${NEEDED}.\n`,
  )
  process.exitCode = 2
} else {
  const { execArgv, execPath, argv, platform } = process
  // In place: the same process begins again with the flags, which cannot be set later.
  if (argv.includes('start') && platform !== 'win32' && !execArgv.includes(LEAN[0]))
    process.execve(execPath, [execPath, ...execArgv, ...LEAN, ...argv.slice(1)])
  // Node strips no types under node_modules: an installed package runs what was built when it was packed.
  const isInstalled = import.meta.url.includes('/node_modules/')
  void import(isInstalled ? '../../dist/cli/main.js' : './main.ts').then(({ runFromShell }) => runFromShell())
}
