import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../support/cli/command.ts'
import { CONFIG, JOB, type Mistake } from './row.ts'

const ENV = {
  POMERIUM_URL: 'https://mcp.example.com',
  REPORTS_TOKEN: 'token-of-reports',
  OPENAI_API_KEY: 'key-of-openai',
  HOOK_SECRET: `whsec_${'A'.repeat(32)}`,
}

/** What `nightshift jobs check` says of the good files with one mistake in them: a line each, with paths from the directory of the deployment. */
export async function check({
  file,
  good,
  typed,
  readable = false,
  also,
}: Pick<Mistake, 'file' | 'good' | 'typed' | 'readable'> & { also?: Mistake['elsewhere'] }): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-mistakes-'))
  try {
    const texts = { 'config/nightshift.yaml': CONFIG, 'jobs/report.yaml': JOB }
    if (!texts[file].includes(good)) throw new Error(`there is no ${good} in ${file}`)
    texts[file] = texts[file].replace(good, () => typed)
    if (also) texts[file] = texts[file].replace(also.good, () => also.mended)
    for (const folder of ['config', 'jobs']) mkdirSync(join(dir, folder))
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(dir, name), text)
      // Whatever the umask is.
      chmodSync(join(dir, name), readable ? 0o644 : 0o600)
    }
    const { err } = await command(['-c', join(dir, 'config/nightshift.yaml'), 'jobs', 'check'], { env: ENV })
    return err
      .replaceAll(`${dir}/`, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
