import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseYaml, showIssue } from '../../../src/lib/yaml/file.ts'

const anything = z.record(z.string(), z.unknown())

const schema = z.strictObject({
  name: z.string().min(1),
  count: z.int().min(1).max(9).optional(),
  share: z.number().positive().optional(),
  on: z.boolean().optional(),
  mode: z.enum(['fast', 'slow']).optional(),
  steps: z.array(z.strictObject({ tool: z.string(), args: z.array(z.string()).min(1).optional() })).optional(),
  nothing: z.null().optional(),
  any: z.union([z.string(), z.number()]).optional(),
  servers: z.record(z.string().regex(/^[a-z]+$/, 'is not a name'), z.strictObject({ url: z.string() })).optional(),
})

/** What is wrong, as it is shown; empty when nothing is. */
function faults(text: string, substitute?: (value: string) => string, wanted: z.ZodType = schema): string[] {
  const parsed = parseYaml(text, wanted, substitute ? { substitute } : {})
  return parsed.ok ? [] : parsed.issues.map((issue) => showIssue('f', issue))
}

describe('faults of the format', () => {
  test.each([
    ['an unknown key', 'name: a\nnmae: b', ['f:2: nmae is not a known key; did you mean name?']],
    [
      'several unknown keys',
      'name: a\nx: 1\ny: 2',
      ['x', 'y'].map(
        (key, at) => `f:${at + 2}: ${key} is not a known key; known are name, count, share, on, mode, steps, nothing, any, servers`,
      ),
    ],
    [
      'an unknown key in a list',
      'name: a\nsteps:\n  - tool: t\n  - tool: u\n    toool: v',
      ['f:5: steps.1.toool is not a known key; did you mean tool?'],
    ],
    ['a missing field', 'count: 1', ['f:1: name is missing; it must be a text']],
    ['a missing field in a list', 'name: a\nsteps:\n  - tool: t\n  - args: [x]', ['f:4: steps.1.tool is missing; it must be a text']],
    ['a missing field of a mapping that is empty', 'name: a\nservers:\n  one: {}', ['f:3: servers.one.url is missing; it must be a text']],
    [
      'a missing field behind an alias',
      'name: a\nservers:\n  one: &o {}\n  two: *o',
      ['f:3: servers.one.url is missing; it must be a text', 'f:4: servers.two.url is missing; it must be a text'],
    ],
    [
      'a wrong type',
      'name: [a]\ncount: many\nsteps: 1\nservers: []\non: 1',
      [
        'f:1: name must be a text; write it without the square brackets',
        'f:2: count must be a number; write digits alone, without quotes or a unit',
        'f:5: on must be true or false',
        'f:3: steps must be a list; begin each entry with a dash (-), and write it with tool, args',
        'f:4: servers must be a mapping; give each entry a name of its own, as in <name>: { … }, in the place of its dash',
      ],
    ],
    [
      'a wrong type behind an alias',
      'name: a\nservers:\n  one: &o { url: 1 }\n  two: *o',
      ['f:3: servers.one.url must be a text; put it in quotes', 'f:4: servers.two.url must be a text; put it in quotes'],
    ],
    [
      'a wrong type deep in lists',
      'name: a\nsteps:\n  - tool: t\n    args:\n      - x\n      - 7\n      - y',
      ['f:6: steps.0.args.1 must be a text; put it in quotes'],
    ],
    [
      'a wrong type in a list on one line',
      'name: a\nsteps: [{ tool: t }, { tool: 1 }, 3]',
      ['f:2: steps.1.tool must be a text; put it in quotes', 'f:2: steps.2 must be a mapping with tool, args'],
    ],
    ['null for a text', 'name:', ['f:1: name is empty; it must be a text']],
    ['a broken number', 'name: a\ncount: 1.5', ['f:2: count must be a whole number']],
    ['numbers out of their range', 'name: a\ncount: 0\nshare: 0', ['f:2: count must be at least 1', 'f:3: share must be more than 0']],
    ['a number too large', 'name: a\ncount: 10', ['f:2: count must be at most 9']],
    [
      'an empty text and an empty list',
      'name: ""\nsteps: [{ tool: t, args: [] }]',
      ['f:1: name is empty; write a text, or take it out', 'f:2: steps.0.args is empty; name at least one, or take it out'],
    ],
    ['a word that is none of those there are', 'name: a\nmode: medium', ['f:2: mode must be fast or slow']],
    ['a key that is not a name', 'name: a\nservers:\n  "A b": { url: u }', ['f:3: servers.A b is not a name']],
    ['what has no words of ours', 'name: a\nany: []', ['f:2: any must be a text; write it without the list, or must be a number']],
    ['a type without words of ours', 'name: a\nnothing: 1', ['f:2: nothing must be null']],
    ['a text for the whole file', 'hello', ['f:1: must be a mapping']],
    ['a list for the whole file', '\n- a', ['f:2: must be a mapping']],
    [
      'a list that stands below its key',
      'name:\n  - a\nservers:\n  - { name: one, url: 1 }\n',
      [
        'f:2: name must be a text; write it without the dash before it',
        'f:4: servers must be a mapping; write one: { url: … } for - { name: one, url: … }, and each other entry in the same way',
      ],
    ],
    [
      'entries whose names are keys',
      'name: a\nservers:\n  - one: { url: 1 }',
      ['f:3: servers must be a mapping; write one: without the dash before it, and each other entry too'],
    ],
    [
      'entries whose names cannot be shown',
      'name: a\nservers:\n  - { name: "a b", url: 1 }',
      ['f:3: servers must be a mapping; give each entry a name of its own, as in <name>: { … }, in the place of its dash'],
    ],
  ])('%s', (_, text, expected) => {
    expect(faults(text)).toEqual(expected)
  })
})

describe('what YAML allows and plain data would lose', () => {
  test.each([
    ['', 'f:1: is empty'],
    ['# only a comment', 'f:1: is empty'],
    ['name: a\nname: b', 'f:2: name is there twice in the same mapping; keep one of them'],
    ['a:\n  b: 1\n  c: 2\n  b: 3', 'f:4: b is there twice in the same mapping; keep one of them'],
    ['a: { b: 1, "b": 2 }', 'f:1: b is there twice in the same mapping; keep one of them'],
    ['a: 1\n---\nb: 2', 'f:2: has more than one document; keep one, without lines of ---'],
    ['a: 1\nb: !!js/function x', 'f:2: has a tag (!) that is not known; take it out, or put the text in quotes'],
    ['a: 1\n1: x', 'f:2: has a key that is not a text; put it in quotes'],
    ['a: 1\nnull: x', 'f:2: has a key that is not a text; put it in quotes'],
    ['a: 1\n? [b, c]\n: x', 'f:2: has a key that is not a text; put it in quotes'],
    ['a: 1\n? &k b\n: x\nc:\n  ? *k\n  : y', 'f:5: has a key that is not a text; put it in quotes'],
    ['a:\n  __proto__: { b: 1 }', 'f:2: __proto__ is not a name that can be used'],
    ['a: 1\nb: .nan', 'f:2: has a number that is not finite'],
    ['a: 1\nb: [1, -.inf]', 'f:2: has a number that is not finite'],
    ['a: 1\nb: "\\uD83D"', 'f:2: has half a character (a lone surrogate); take it out'],
    ['a: 1\n"\\uDE00": b', 'f:2: has half a character (a lone surrogate); take it out'],
    ['a: 1\nb: *nowhere', 'f:2: uses an alias (*name) whose anchor (&name) is not above it; in a text, put it in quotes'],
    ['a: 1\nb: &b { c: *b }', 'f:2: has an alias (*name) inside of what it stands for'],
    ['a: [', 'f:1: is not valid YAML: a [ is opened and not closed; close it with ] behind its last entry'],
    ['a: b\n\tc: d', 'f:2: is not valid YAML: a line is indented with a tab; indent with spaces'],
    ['a: ]b\nc: d\ne: f', 'f:1: is not valid YAML: a ] closes nothing; take it out, or open the list with ['],
  ])('%j', (text, expected) => {
    expect(faults(text, undefined, anything)).toEqual([expected])
  })

  test.each([
    ['lists', 200, '[', ']'],
    ['lists', 100_000, '[', ']'],
    ['mappings', 100, '{ a: ', ' }'],
    ['mappings', 20_000, '{ a: ', ' }'],
  ])('%s %d deep', (_, depth, open, close) => {
    expect(faults(`b: 1\na: ${open.repeat(depth)}${close.repeat(depth)}`, undefined, anything)).toEqual(['f:2: is nested too deeply'])
  })

  test.each(['"', ': ', '? ', '- ', '&a ', '*a ', '! ', '#\n', 'a:\n', '\n', '%\n', '|\n', '"a" ', 'a: 1\n'])(
    'a megabyte of %j is too much, before it is parsed',
    (piece) => {
      expect(faults(`a: b\nc:\n - ${piece.repeat(1_000_000 / piece.length)}`, undefined, anything)).toEqual([
        expect.stringMatching(
          /^f:\d+: (has more than 100,000 keys, values and signs; make it smaller|is nested too deeply|repeats itself too often .*)$/,
        ),
      ])
    },
  )

  test('of many faults the first are shown, and how many more there are', () => {
    const shown = faults(`name: a\nsteps: [${'1, '.repeat(500)}1]`)
    expect(shown).toHaveLength(101)
    expect(shown.at(-1)).toBe('f:1: has 401 more faults like these')
  })

  test('many aliases are too many, and a text that begins with a star is none', () => {
    expect(faults(`a: &a 1\nb: [${'*a, '.repeat(400)}*a]`, undefined, anything)).toEqual([
      'f:2: repeats itself too often through aliases (*name); write the values out',
    ])
    expect(faults(`b:\n${'  - "*a"\n  - |\n    *a\n'.repeat(400)}`, undefined, anything)).toEqual([])
  })

  test('keys that are there twice are found among many', () => {
    const keys = Array.from({ length: 10_000 }, (_, n) => `k${n}: 1\n`).join('')
    expect(faults(`${keys}k1: 2\n`, undefined, anything)).toEqual(['f:10001: k1 is there twice in the same mapping; keep one of them'])
  })

  test('aliases of aliases that would fill the memory', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) =>
        `l${at}: &l${at} [${Array(9)
          .fill(at === 0 ? 'x' : `*l${at - 1}`)
          .join(', ')}]`,
    )
    expect(faults(levels.join('\n'), undefined, anything)).toEqual([
      'f:1: repeats itself too often through aliases (*name); write the values out',
    ])
  })

  test('what is not lost is not named: aliases, quotes, nested lists, keys that look like other things', () => {
    const text = 'a: &a [1, "2"]\nb: *a\n"1": yes\nconstructor: { toString: ~ }\n'
    const parsed = parseYaml(text, anything)
    expect(parsed).toMatchObject({ ok: true, value: { a: [1, '2'], b: [1, '2'], '1': 'yes', constructor: { toString: null } } })
  })
})

describe('substitution', () => {
  const from = (values: Record<string, string>) => (value: string) =>
    value.replaceAll(/\$(\w+)/g, (_, name: string) => {
      const found = values[name]
      if (found === undefined) throw new Error(`lacks ${name}`)
      return found
    })

  test('what is put in is never read as YAML', () => {
    const nasty = 'a: [b]\n# c\n"*d &e !f'
    const parsed = parseYaml('name: $A\nmode: fast', schema, { substitute: from({ A: nasty }) })
    expect(parsed).toMatchObject({ ok: true, value: { name: nasty } })
  })

  test('a number or boolean is read as one only where one is wanted', () => {
    const parsed = parseYaml('name: $N\ncount: $N\nshare: $S\non: $B\nsteps: [{ tool: $B }]', schema, {
      substitute: from({ N: '4', S: '0.5', B: 'true' }),
    })
    expect(parsed).toMatchObject({ ok: true, value: { name: '4', count: 4, share: 0.5, on: true, steps: [{ tool: 'true' }] } })
  })

  test('digits that are a text keep all of them', () => {
    for (const digits of ['0123', '12345678901234567890', '1.10'])
      expect(parseYaml('name: $D', schema, { substitute: from({ D: digits }) })).toMatchObject({ ok: true, value: { name: digits } })
  })

  test.each([
    ['count: "$N"', { N: '4' }, 'f:2: count must be a number; write digits alone, without quotes or a unit'],
    ['count: $N', { N: 'four' }, 'f:2: count must be a number; write digits alone, without quotes or a unit'],
    ['count: $N', { N: '04' }, 'f:2: count must be a number; write digits alone, without quotes or a unit'],
    ['count: four', {}, 'f:2: count must be a number; write digits alone, without quotes or a unit'],
    ['count: $N', { N: '0' }, 'f:2: count must be at least 1'],
    ['count: $N\nzzz: 1', { N: '4' }, 'f:3: zzz is not a known key; known are name, count, share, on, mode, steps, nothing, any, servers'],
    ['on: $N', { N: '' }, 'f:2: on must be true or false'],
  ])('%s with %j is a fault', (line, values, expected) => {
    expect(faults(`name: a\n${line}`, from(values))).toEqual([expected])
  })

  test('each value that cannot be put in is named by its line; keys are left alone', () => {
    expect(faults('name: $A\nsteps:\n  - tool: x\n  - tool: $B\n$C: 1', from({}))).toEqual(['f:1: lacks A', 'f:4: lacks B'])
  })

  test('what is thrown need not be an Error', () => {
    expect(
      faults('name: a', () => {
        // oxlint-disable-next-line no-throw-literal
        throw 'a text'
      }),
    ).toEqual(['f:1: a text'])
  })
})

describe('lines for later checks', () => {
  const parsed = parseYaml('name: a\nsteps:\n  - tool: t\n    args:\n      - x\n  -\n    tool: u\nany: 1', schema)

  test.each([
    [['name'], 1],
    [['steps'], 2],
    [['steps', 0], 3],
    [['steps', 0, 'tool'], 3],
    [['steps', 0, 'args', 0], 5],
    [['steps', 1, 'tool'], 7],
    [['steps', 1, 'args', 4, 'x'], 7],
    [['steps', 9], 2],
    [['none'], 1],
    [[], 1],
  ])('%j is on line %d', (path, line) => {
    expect(parsed.ok && parsed.place.lineOf(path)).toBe(line)
  })
})

test('an issue is one line, without what a terminal would act on', () => {
  expect(showIssue('a\nb\u001b[31m.yaml', { line: 3, field: 'x\u202e', message: 'is\nwrong' })).toBe(
    'a b\\u001b[31m.yaml:3: x\\u202e is wrong',
  )
})

test.each([
  'a: "hunter2',
  'a: "x" hunter2',
  'a: @hunter2',
  'a: *hunter2',
  'a: !hunter2',
  'a: !hunter2 x',
  'a: [hunter2',
  'a: ]hunter2',
  'a: {hunter2: [}',
  'a: %hunter2',
  'a: |hunter2',
  'a: &hunter2 &b x',
  'a: "\\xhunter2"',
  'a: "\\u{hunter2}"',
  'a: &a [*a, hunter2]',
  "a: 'hunter2",
  'a: b: hunter2',
  'a:\n  hunter2\n b: 1',
])('the text of a value is in no message: %j', (text) => {
  const said = faults(text, undefined, anything)
  expect(said).toHaveLength(1)
  expect(said[0]).not.toMatch(/hun|nter|xhu/)
})
