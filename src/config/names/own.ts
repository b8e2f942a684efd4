import { isAddress } from '../../lib/name.ts'
import { suggest } from '../../lib/near.ts'
import { namesHeld, SECTIONS, type Named } from './table.ts'

interface Sections {
  accounts: object
  webhooks: object
  providers: object
}

/** Where a file names what it does not give: a ceiling for a misspelt account would be none. */
export const ownNameFaults = (config: Sections): { path: string[]; message: string }[] =>
  namesHeld(config, 'the file').flatMap((named) => {
    const section = sectionOf(named)
    const known = Object.keys(config[section])
    if (known.includes(named.name)) return []
    return [{ path: named.path, message: `${whatIs(named, section)}; ${suggest(named.name, known)}` }]
  })

function whatIs({ name, isKey }: Named, section: string): string {
  if (isKey) return `is not under ${section}:`
  // An address may hold a secret.
  return isAddress(name) ? `is an address; write the name that it has under ${section}:` : `is ${name}, which is not under ${section}:`
}

function sectionOf({ of, path }: Named): keyof Sections {
  const section = Object.entries(SECTIONS).find(([thing]) => thing === of)?.[1]
  if (section === undefined) throw new Error(`${path.join('.')} is the name of a ${of}, which no section gives`)
  return section
}
