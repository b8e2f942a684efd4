import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildNightshift, buildStandIn, makeBases, unpackCommit } from './images.ts'
import { makeDirectory, makeProject } from './project.ts'
import { createWalk } from './walk.ts'

const HELP = `npm run stack -- [--from COMMIT] [--keep]

Builds the image and brings the whole of docker-compose.yml up with the real entry points, on Docker Engine: a stand-in takes the places of
Pomerium and of the model alone. Then it does what a user does, and looks; then the containers of the Kubernetes manifests, one by one.
Base images that cannot be pulled are made from Debian's packages (debootstrap). Exit code 1 when a step fails.

  --from   begins with the image of an earlier commit, and brings the present one up with runs under way
  --keep   leaves everything up
`
const ROOT = join(import.meta.dirname, '../..')

const { values } = parseArgs({
  options: { from: { type: 'string' }, keep: { type: 'boolean', default: false }, help: { type: 'boolean' } },
})
if (values.help) process.stdout.write(HELP)
else {
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const dir = makeDirectory(mkdtempSync(join(tmpdir(), 'nightshift-stack-')))
  const walk = createWalk(say)
  makeBases(say)
  const earlier = values.from === undefined ? undefined : unpackCommit(values.from, dir)
  buildNightshift(earlier ?? ROOT)
  buildStandIn()
  const project = makeProject(earlier ?? ROOT, makeDirectory(join(dir, 'project')), `nightshift-stack-${process.pid}`, { say })
  try {
    if (earlier !== undefined)
      await walk.upgrade(project, () => {
        buildNightshift(ROOT)
        project.renew(ROOT)
      })
    await walk.wholeStack(project)
    await walk.restarts(project)
    await walk.kubernetes(project)
    await walk.stops(project)
  } finally {
    if (!values.keep) {
      project.tryCompose('down', '--volumes', '--timeout', '10')
      rmSync(dir, { recursive: true, force: true })
    } else say(`It is left up: ${project.dir}, project ${project.name}.`)
  }
  const failed = walk.failed()
  say(failed === 0 ? 'All steps are as they should be.' : `${failed} steps are not as they should be.`)
  process.exitCode = failed === 0 ? 0 : 1
}
