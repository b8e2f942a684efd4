// @ts-nocheck
import { generate } from 'selfsigned'

export interface Certificate {
  key: string
  cert: string
}

const DAY_MS = 86_400_000

/** A certificate for hosts on this machine, its own CA; valid for a day unless more is asked. */
export async function makeCertificate(hosts: readonly string[], days = 1): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'Nightshift demo' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2, value })) },
    ],
  })
  return { key, cert }
}
