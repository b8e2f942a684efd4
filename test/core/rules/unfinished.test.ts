import { expect, test } from 'vitest'
import { unfinishedProse } from '../../../src/core/rules/unfinished.ts'

test.each([
  ['a report', 'Unemployment fell to 4.1 %.'],
  ['nothing', ''],
  ['a question that the report answers itself', 'Did it fall? It did.'],
  ['a question in an earlier line', 'Which industry grew?\nConstruction.'],
  ['a question that is followed by its answer in quotes', '“Did it fall?” It did.'],
  ['what a company will do', 'We will hire 300 people, and they will start in May.'],
  ['a promise that is followed by the report', 'I will look at the table. It has 12 rows.'],
  ['a question mark within a word', 'The address is /search?q=1 as before.'],
  ['a promise that is quoted before the end', 'The table says “I will be closed.” It is.'],
  ['a sentence whose beginning is out of sight', `I will ${'and '.repeat(150)}so on.`],
  ['a sum in prose', 'He said that I willed it.'],
  ['a question long before the end', `Shall I?${' It fell.'.repeat(100)}`],
])('%s is an answer', (_, text) => {
  expect(unfinishedProse(text)).toBeUndefined()
})

test.each([
  ['a question', 'I found two tables. Which one do you mean?'],
  ['a question after which there is white space', 'Which one?\n\n '],
  ['a question in quotation marks', 'I have to ask: “Which one?”'],
  ['a question in brackets', '(Which one do you mean?)'],
  ['a question in full width', '你要哪一个？'],
  ['a list that ends in a question', 'Two tables:\n- a\n- b\nShall I take a?'],
  ['a request to be told', 'Let me know which one.'],
  ['a request to confirm', 'The table is there. Please confirm the month.'],
  ['a request to provide', 'please provide a month'],
  ['a request to specify', 'Please specify a month.'],
  ['a request to clarify', 'Please clarify.'],
  ['a request to tell', 'Please tell me the month.'],
  ['a request to be told that begins as a promise', 'Let me know and I will go on.'],
])('%s asks', (_, text) => {
  expect(unfinishedProse(text)).toBe('asks')
})

test.each([
  ['what is still to be done', 'I found the table. I will now read it.'],
  ['the short form', 'I’ll read the table now.'],
  ['the short form in ASCII', "I'll read the table now."],
  ['a plan', 'I am going to read the table.'],
  ['a plan in its short form', 'I’m going to read the table.'],
  ['a plan in ASCII', "I'm going to read the table."],
  ['a stiff promise', 'I shall read the table.'],
  ['leave that is taken', 'Let me read the table.'],
  ['a promise in the last line', 'Found it.\nLet me read it'],
  ['a promise without an end of its sentence, after one', 'Found it! I will read it'],
  ['to come back', 'I will get back to you.'],
  ['to come back, without a subject', 'The table is large. Will get back to you soon.'],
  ['a sentence whose beginning is just in sight', `I will ${'and '.repeat(147)}so.`],
  ['after a sentence in quotation marks', 'The table says “closed.” I will look again.'],
])('%s promises', (_, text) => {
  expect(unfinishedProse(text)).toBe('promises')
})
