import { ACT, MIDDLE, rowsOf, type FaultRow, type RowOptions } from '../row.ts'

const row = rowsOf('budget')
const nothing = () => {}
const hosted: RowOptions = { delegate: 'hosted' }
const limits = (text: string): RowOptions => ({
  more: `limits: { ${text} }`,
  script: `${ACT}\ncall counting__look {}\ncall counting__look {"n": 2}\nsay enough`,
})

export const budgetRows: FaultRow[] = [
  row('turns', ['incomplete', 'BUDGET_TURNS', 1, 1], nothing, limits('turns: 1')),
  row('tool calls', ['incomplete', 'BUDGET_TOOL_CALLS', 1, 1], nothing, limits('toolCalls: 1')),
  row('no tool call at all', ['incomplete', 'BUDGET_TOOL_CALLS', 1, 0], nothing, limits('toolCalls: 0')),
  row('tokens', ['incomplete', 'BUDGET_TOKENS', 1, 1], nothing, limits('tokens: 20')),
  row('money', ['incomplete', 'BUDGET_COST', 1, 1], nothing, limits('costUsd: 0.000001')),
  row(
    'time: a read is given up, and the model answers',
    ['incomplete', 'DEADLINE', 1, 1],
    ({ server }) => {
      server.answer = (call) => (call.name === 'look' ? new Promise(nothing) : 'done')
    },
    { script: MIDDLE, more: 'limits: { deadline: 8s }' },
  ),
  row('tool calls', ['incomplete', 'BUDGET_TOOL_CALLS', 1, 1], nothing, { ...hosted, ...limits('toolCalls: 1') }),
  row('tokens', ['incomplete', 'BUDGET_TOKENS', 1, 1], nothing, { ...hosted, ...limits('tokens: 20') }),
  row('money', ['incomplete', 'BUDGET_COST', 1, 1], nothing, { ...hosted, ...limits('costUsd: 0.000001') }),
  row(
    'time: the answer is ended at the provider',
    ['incomplete', 'DEADLINE', 1, 1],
    ({ server }) => {
      server.answer = (call) => (call.name === 'look' ? new Promise(nothing) : 'done')
    },
    { ...hosted, script: `${ACT}\ncall counting__look {}\nsay enough`, more: 'limits: { deadline: 15s }' },
  ),
]
