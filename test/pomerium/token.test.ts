import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { describeFailure, Failure } from '../../src/core/failure.ts'
import { checkLifetime, createTokenSource } from '../../src/pomerium/token.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-token-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const NOW = new Date('2026-03-02T12:00:00Z')
const inMinutes = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000)

/** A token as Pomerium makes them: `iat` and `nbf` 0, `exp` only when it expires. */
const jwt = (claims: Record<string, unknown>) =>
  new SignJWT({ iat: 0, nbf: 0, ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.alloc(32, 7))

const first = await jwt({ jti: 'account-1', sub: 'svc' })
const second = await jwt({ jti: 'account-2', sub: 'svc' })

test('a token file that is a pipe without a writer is empty, and is not waited for', () => {
  const pipe = join(dir, '0-pipe.token')
  execFileSync('mkfifo', [pipe])
  expect(() => createTokenSource({ account: 'reports', file: pipe }).current()).toThrow(/is empty/)
})

let count = 0
function write(text: string | Uint8Array): string {
  const file = join(dir, `${count++}.token`)
  writeFileSync(file, text)
  return file
}

/** Why there is no token, without the file's directory. */
function refused(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    expect(error).toMatchObject({ code: 'TOKEN_REJECTED' })
    return error instanceof Failure ? describeFailure(error).replaceAll(/\/\S*\/\d+\.token/g, 'FILE') : ''
  }
  return 'a token'
}

const inFile = (text: string | Uint8Array) => {
  const file = write(text)
  return () => createTokenSource({ account: 'reports', file }).current()
}

describe('a token file', () => {
  test.each([
    ['the token', first],
    ['a newline after it', `${first}\n`],
    ['Windows newlines and white space around it', `\r\n  ${first}\t\r\n`],
    ['a byte order mark before it', `\ufeff${first}\n`],
    ['the scheme of the header before it', `Bearer Pomerium-${first}\n`],
    ['the scheme in other letters', `bearer pomerium-${first}`],
    ['the other scheme', `Pomerium ${first}`],
    ['half of the scheme', `Pomerium-${first}`],
    ['another scheme', `Bearer ${first}`],
  ])('may hold %s', (_, text) => {
    expect(inFile(text)()).toEqual({ jwt: first, accountId: 'account-1', userId: expect.any(String), expiresAt: undefined })
  })

  test('says what is wrong with it and where to get another, never what is in it', async () => {
    const unsecured = new UnsecuredJWT({ jti: 'x' }).encode()
    const texts = {
      empty: '',
      'only a newline': '\n',
      'only a scheme': 'Bearer Pomerium-',
      'two tokens': `${first}\n${second}\n`,
      'a whole header': `Authorization: Bearer Pomerium-${first}`,
      words: 'hunter2-hunter2',
      'a JWT with its end cut off': first.split('.').slice(0, 2).join('.'),
      'three parts that are none of a JWT': 'aaa.bbb.ccc',
      'a payload that is no mapping': `e30.${Buffer.from('[1]').toString('base64url')}.x`,
      'an encrypted one of five parts': `${first}.x.y`,
      'a character that no header can hold': `${first}é`,
      'a NUL inside': `${first}\0x`,
      'without jti': await jwt({ sub: 'svc' }),
      'an empty jti': await jwt({ jti: '' }),
      'a jti that is a number': await jwt({ jti: 7 }).catch(() => `e30.${Buffer.from('{"jti":7}').toString('base64url')}.x`),
      'an exp that is no time': await jwt({ jti: 'x', exp: 1e300 }),
    }
    const said = Object.fromEntries(Object.entries(texts).map(([title, text]) => [title, refused(inFile(text))]))
    expect(said).toMatchInlineSnapshot(`
      {
        "a JWT with its end cut off": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
        "a NUL inside": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
        "a character that no header can hold": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
        "a jti that is a number": "The token file FILE of account reports holds a JWT without jti: it is not a service account’s. Put the JWT that Pomerium gave for account reports into FILE.",
        "a payload that is no mapping": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
        "a whole header": "The token file FILE of account reports has white space inside; it may hold more than one token. Put the JWT that Pomerium gave for account reports into FILE.",
        "an empty jti": "The token file FILE of account reports holds a JWT without jti: it is not a service account’s. Put the JWT that Pomerium gave for account reports into FILE.",
        "an encrypted one of five parts": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
        "an exp that is no time": "The token file FILE of account reports holds a JWT whose exp is not a time. Put the JWT that Pomerium gave for account reports into FILE.",
        "empty": "The token file FILE of account reports is empty. Put the JWT that Pomerium gave for account reports into FILE.",
        "only a newline": "The token file FILE of account reports is empty. Put the JWT that Pomerium gave for account reports into FILE.",
        "only a scheme": "The token file FILE of account reports is empty. Put the JWT that Pomerium gave for account reports into FILE.",
        "three parts that are none of a JWT": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
        "two tokens": "The token file FILE of account reports has white space inside; it may hold more than one token. Put the JWT that Pomerium gave for account reports into FILE.",
        "without jti": "The token file FILE of account reports holds a JWT without jti: it is not a service account’s. Put the JWT that Pomerium gave for account reports into FILE.",
        "words": "The token file FILE of account reports does not hold a JWT. Put the JWT that Pomerium gave for account reports into FILE.",
      }
    `)
    for (const part of [...first.split('.'), 'hunter2']) expect(JSON.stringify(said)).not.toContain(part)
    expect(inFile(unsecured)().accountId).toBe('x')
  })

  test('that is missing or no file is named', () => {
    const missing = createTokenSource({ account: 'reports', file: '/nowhere/1.token' })
    expect(refused(() => missing.current())).toMatchInlineSnapshot(
      `"The token file FILE of account reports cannot be read: ENOENT: no such file or directory, stat 'FILE'. Put a valid token where the account has it: its tokenFile, which is re-read at once, or its token in the configuration."`,
    )
    const directory = createTokenSource({ account: 'reports', file: dir })
    expect(refused(() => directory.current()).replace(dir, 'DIR')).toMatchInlineSnapshot(
      `"The token file DIR of account reports cannot be read: EISDIR: illegal operation on a directory, read. Put a valid token where the account has it: its tokenFile, which is re-read at once, or its token in the configuration."`,
    )
  })
})

describe('a token that is given as text', () => {
  test('is read like one of a file', () => {
    expect(createTokenSource({ account: 'reports', token: ` Bearer Pomerium-${first}\n` }).current().jwt).toBe(first)
  })

  test.each([undefined, ''])('and is %j is refused when it is needed, not before', (token) => {
    const source = createTokenSource({ account: 'reports', token })
    expect(refused(() => source.current())).toBe(
      'The token of account reports is empty. Put the JWT that Pomerium gave for account reports into accounts.reports.token.',
    )
  })
})

describe('a token file that is replaced while it is in use', () => {
  function open(text: string) {
    const file = write(text)
    let ms = 0
    const told: string[] = []
    const source = createTokenSource({ account: 'reports', file, now: () => ms, onToken: (token) => told.push(token) })
    return { file, source, told, wait: (more: number) => void (ms += more) }
  }

  test('is looked at once a second at most, and a new token is used from then on', () => {
    const { file, source, told, wait } = open(first)
    expect(source.current().accountId).toBe('account-1')
    writeFileSync(`${file}.new`, second)
    renameSync(`${file}.new`, file)
    wait(999)
    expect(source.current().accountId).toBe('account-1')
    wait(1)
    expect(source.current().accountId).toBe('account-2')
    expect(told).toEqual([first, second])
  })

  test('and is not read again when nothing changed', () => {
    const { source, told, wait } = open(first)
    for (let at = 0; at < 5; at++) {
      source.current()
      wait(60_000)
    }
    expect(told).toEqual([first])
  })

  test('by a broken one fails each time, until it is mended', () => {
    const { file, source, wait } = open(first)
    source.current()
    writeFileSync(file, 'half a tok')
    wait(1000)
    expect(refused(() => source.current())).toContain('has white space inside')
    expect(refused(() => source.current())).toContain('has white space inside')
    writeFileSync(file, second)
    expect(source.current().accountId).toBe('account-2')
  })

  test('by nothing fails, and the same token put back is used again', () => {
    const { file, source, wait } = open(first)
    source.current()
    unlinkSync(file)
    wait(1000)
    expect(refused(() => source.current())).toContain('cannot be read: ENOENT')
    writeFileSync(file, first)
    expect(source.current().accountId).toBe('account-1')
  })

  test('hands over each token before its first use, so that it is redacted', () => {
    const file = write(first)
    const source = createTokenSource({
      account: 'reports',
      file,
      onToken: () => {
        throw new Error('told')
      },
    })
    expect(() => source.current()).toThrow('told')
  })
})

describe('a lifetime', () => {
  const check = async (exp: Date | undefined, deadline: Date) => {
    const token = createTokenSource({
      account: 'reports',
      token: await jwt({ jti: 'a', ...(exp && { exp: exp.getTime() / 1000 }) }),
    }).current()
    expect(token.expiresAt).toEqual(exp)
    try {
      checkLifetime('reports', token, NOW, deadline)
    } catch (error) {
      return error
    }
    return 'lives long enough'
  }

  test.each([
    ['without an end', undefined, 10_000_000],
    ['that ends at the deadline', inMinutes(10), 10],
    ['that ends after the deadline', inMinutes(11), 10],
  ])('%s is long enough', async (_, exp, deadline) => {
    expect(await check(exp, inMinutes(deadline))).toBe('lives long enough')
  })

  test.each([
    ['long ago', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['just now', NOW, '2026-03-02T12:00:00.000Z'],
  ])('that ended %s is TOKEN_REJECTED', async (_, exp, at) => {
    expect(await check(exp, inMinutes(10))).toMatchObject({
      code: 'TOKEN_REJECTED',
      retry: 'later',
      message: `The token of account reports expired at ${at}.`,
      cure: 'Put a valid token where the account has it: its tokenFile, which is re-read at once, or its token in the configuration.',
    })
  })

  test('that ends before the deadline is TOKEN_EXPIRES_TOO_SOON, before anything is spent', async () => {
    expect(await check(inMinutes(9), inMinutes(10))).toMatchObject({
      code: 'TOKEN_EXPIRES_TOO_SOON',
      retry: 'never',
      message: 'The token of account reports expires at 2026-03-02T12:09:00.000Z, before this attempt’s deadline 2026-03-02T12:10:00.000Z.',
      cure: 'Rotate the account, or shorten limits.deadline.',
    })
  })
})
