import { generate } from 'selfsigned'

export interface Certificate {
  key: string
  /** The certificate and the authority that signed it: to be shown as it is, and trusted as it is. */
  cert: string
}

const DAY_MS = 86_400_000

/** A certificate for hosts on this machine, with an authority of its own, since strict clients take no authority for a host; valid for a day unless more is asked. */
export async function makeCertificate(hosts: readonly string[], days = 1): Promise<Certificate> {
  const kind = {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
  } as const
  const authority = await generate([{ name: 'commonName', value: 'Nightshift demo authority' }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'Nightshift demo' }], {
    ...kind,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2, value })) },
    ],
  })
  return { key, cert: `${cert.trim()}\n${authority.cert.trim()}\n` }
}
