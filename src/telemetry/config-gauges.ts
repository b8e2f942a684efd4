import { Gauge, type Registry } from 'prom-client'
import type { ConfigState } from '../core/ports/config-state.ts'

/** How the configuration of this process stands to its file. Returns what sets the figures before they are shown. */
export function addConfigGauges(registry: Registry, state: () => ConfigState): () => void {
  const registers = [registry]
  const info = new Gauge({
    name: 'nightshift_config_info',
    help: 'Digest of the configuration file that this process read last without a fault; the same for processes that read the same.',
    labelNames: ['digest'],
    registers,
  })
  const fault = new Gauge({
    name: 'nightshift_config_fault',
    help: '1 while the configuration file has a fault: what was in force before it is still.',
    registers,
  })
  const waiting = new Gauge({
    name: 'nightshift_config_keys_waiting',
    help: 'Keys of the configuration whose values in the file are in force after a restart alone; the log names them.',
    registers,
  })
  return () => {
    const { digest, fault: found, waiting: keys } = state()
    info.reset()
    info.set({ digest }, 1)
    fault.set(found === undefined ? 0 : 1)
    waiting.set(keys.length)
  }
}
