import { Option } from 'commander'
import { durationMs } from '../../../../lib/duration.ts'
import { parseLife } from '../../../options/time.ts'

const LIFE = '90d'

/** Option `--expires`: the lifetime of a new account, parsed to milliseconds. */
export const expiresOption = (): Option =>
  new Option('--expires <time>', `how long it lives, such as ${LIFE}`).argParser(parseLife).default(durationMs(LIFE), LIFE)

/** Pomerium's replicas accept a deleted account for up to a minute (measured). */
export const HONOURED = 'Pomerium may honour a deleted account for up to a minute.'
