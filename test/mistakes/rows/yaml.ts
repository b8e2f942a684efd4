import type { Mistake } from '../row.ts'

/** What is no YAML, or not the YAML that was meant. */
export const YAML: readonly Mistake[] = [
  {
    name: 'a star that is no alias',
    file: 'jobs/report.yaml',
    good: 'allow: [describe_tables, query], repeatable: [query]',
    typed: 'allow: [*]',
    says: ['jobs/report.yaml:8: is not valid YAML: Alias cannot be an empty string; put a text that begins with * or & in quotes'],
  },
  {
    name: 'a colon in the prompt',
    file: 'jobs/report.yaml',
    good: 'prompt: |\n  Report unemployment',
    typed: 'prompt: Task: report unemployment',
    says: [
      'jobs/report.yaml:5: is not valid YAML: Nested mappings are not allowed in compact mappings; put a text with a colon and a space in it in quotes, and indent the keys of a mapping alike',
    ],
  },
  {
    name: 'a variable at the beginning of the prompt',
    file: 'jobs/report.yaml',
    good: 'prompt: |\n  Report unemployment by industry as of',
    typed: 'prompt:',
    says: [
      'jobs/report.yaml:5: is not valid YAML: Unexpected scalar at node end; put a text that begins with a sign in quotes, and close each bracket and quote',
    ],
  },
  {
    name: 'a number sign in the prompt',
    file: 'jobs/report.yaml',
    good: 'prompt: |\n  Report unemployment by industry as of {{ fire_time | date: "%F" }}.',
    typed: 'prompt: Report on issue #7 and # 8',
    says: ['jobs/report.yaml:5: prompt ends before the #, where a comment begins; put the text in quotes if it goes on'],
  },
  {
    name: 'quotes in quotes',
    file: 'jobs/report.yaml',
    good: 'prompt: |\n  Report unemployment by industry as of {{ fire_time | date: "%F" }}.',
    typed: 'prompt: "Say "hello" to all"',
    says: [
      'jobs/report.yaml:5: is not valid YAML: Unexpected scalar at node end; put a text that begins with a sign in quotes, and close each bracket and quote',
    ],
  },
  {
    name: 'a prompt that is not indented',
    file: 'jobs/report.yaml',
    good: '  Report unemployment',
    typed: 'Report unemployment',
    says: [
      'jobs/report.yaml:6: is not valid YAML: Unexpected flow-map-end token in YAML stream; indent the text below | or > more than its key',
    ],
  },
  {
    name: 'tools indented into the prompt',
    file: 'jobs/report.yaml',
    good: 'tools:\n  labor:',
    typed: '  tools:\n    labor:',
    says: ['jobs/report.yaml:7: tools is missing: it stands in the text of prompt; indent it less, as the other keys are'],
  },
  {
    name: 'a bracket that stays open',
    file: 'jobs/report.yaml',
    good: 'allow: [describe_tables, query],',
    typed: 'allow: [describe_tables, query,',
    says: [
      'jobs/report.yaml:8: is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; close the bracket that stands open',
    ],
  },
  {
    name: 'a brace that stays open',
    file: 'jobs/report.yaml',
    good: 'deadline: 10m }',
    typed: 'deadline: 10m',
    says: [
      'jobs/report.yaml:15: is not valid YAML: Flow map in block collection must be sufficiently indented and end with a }; close the bracket that stands open',
    ],
  },
  {
    name: 'a quote that stays open',
    file: 'jobs/report.yaml',
    good: '"0 7 * * 1"',
    typed: '"0 7 * * 1',
    says: ['jobs/report.yaml:4: is not valid YAML: Missing closing "quote; close the quote that stands open'],
  },
  {
    name: 'no space after the colon',
    file: 'jobs/report.yaml',
    good: 'account: reports',
    typed: 'account:reports',
    says: [
      'jobs/report.yaml:2: is not valid YAML: Implicit keys need to be on a single line; write key: value, with a space after the colon',
    ],
  },
  {
    name: 'a tab',
    file: 'jobs/report.yaml',
    good: '  labor:',
    typed: '	labor:',
    says: ['jobs/report.yaml:8: is not valid YAML: Tabs are not allowed as indentation; indent with spaces'],
  },
  {
    name: 'a key that is there twice',
    file: 'jobs/report.yaml',
    good: 'account: reports',
    typed: 'account: reports\naccount: reports',
    says: ['jobs/report.yaml:3: account is there twice in the same mapping; keep one of them'],
  },
  {
    name: 'a decimal comma',
    file: 'jobs/report.yaml',
    good: 'costUsd: 0.5',
    typed: 'costUsd: 0,50',
    says: ['jobs/report.yaml:15: has a key that is not a text; put it in quotes, or write a decimal with a point (0.5)'],
  },
]
