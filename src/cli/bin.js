#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it says what they lack instead of failing on the first type.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'

const NEEDED = 24
// A worker holds many runs that wait: a young generation of 48 MB at most, and an old one that is collected when it has grown by half, not fourfold.
const LEAN = ['--max-semi-space-size=16', '--heap-growing-percent=50']
// The signal would open Node's inspector, which lets whoever reaches its port run code here and read every secret.
const CLOSED = '--disable-sigusr1'
// Commands do not begin again with the flag, and an old Node does not know it: a listener keeps the inspector closed as well.
if (process.platform !== 'win32') process.on('SIGUSR1', () => {})
if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `nightshift needs Node ${NEEDED} or newer and this is ${process.version}: ${hasOwnNode() ? 'start it with "npx nightshift", which brings its own Node, or ' : ''}install Node ${NEEDED}.\n`,
  )
  process.exitCode = 2
} else {
  const { env, execArgv, execPath, argv, platform } = process
  const cache = env['XDG_CACHE_HOME'] || (env['HOME'] && join(env['HOME'], '.cache'))
  if (argv.includes('start')) {
    // In place: the same process begins again with the flags, which cannot be set later.
    if (platform !== 'win32' && !execArgv.includes(LEAN[0]))
      process.execve(execPath, [execPath, ...execArgv, CLOSED, ...LEAN, ...argv.slice(1)])
  } else if (cache) {
    // Compile cache for short commands, half of whose time is compilation. A long-running process would only hold the code twice.
    module.enableCompileCache(join(cache, 'nightshift', 'compiled'))
  }
  // A build holds main.js beside this file. A package holds it in dist, since Node strips no types under node_modules; a checkout runs its source.
  const isPackage = import.meta.url.includes('/node_modules/')
  const main = existsSync(new URL('main.js', import.meta.url)) ? './main.js' : isPackage ? '../../dist/cli/main.js' : './main.ts'
  void import(main).then(({ runFromShell }) => runFromShell())
}

/** Whether npm installed a Node beside this file: there is a package for Linux alone, and optional packages can be left out. */
function hasOwnNode() {
  try {
    return module.createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`) !== ''
  } catch {
    return false
  }
}
