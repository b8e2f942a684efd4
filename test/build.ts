import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Builds `dist/` for the package: Node strips no types under node_modules. `npm pack` calls it; everything else runs the source. */
const ROOT = join(import.meta.dirname, '..')
rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' })
for (const assets of ['store/migrations', 'demo/data']) cpSync(join(ROOT, 'src', assets), join(ROOT, 'dist', assets), { recursive: true })
