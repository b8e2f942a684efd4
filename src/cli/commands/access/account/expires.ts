import { Option } from 'commander'
import { durationMs } from '../../../../lib/duration.ts'
import { parseLife } from '../../../options/time.ts'

const LIFE = '90d'

/** How long a new account lives; in milliseconds once it is parsed. */
export const expiresOption = (): Option =>
  new Option('--expires <time>', `how long it lives, such as ${LIFE}`).argParser(parseLife).default(durationMs(LIFE), LIFE)

/** A deleted account is known to Pomerium's replicas for a while (measured). */
export const HONOURED = 'Pomerium may honour a deleted account for up to a minute.'
