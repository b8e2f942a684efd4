import { expect, test } from 'vitest'
import { serverLabel } from '../../../src/models/hosted/server-label.ts'
import { createToolNames } from '../../../src/models/hosted/tool-names.ts'

const nameOf = createToolNames([
  { name: 'labor', tools: ['query', 'list_tables', 'labor_cost'] },
  { name: 'hr-data', tools: ['query', 'read'] },
  { name: 'hr', tools: ['data-read'] },
])
const HR_DATA = serverLabel('hr-data')

test.each([
  ['labor', 'query', 'labor', 'query'],
  ['labor', 'labor__query', 'labor', 'query'],
  ['labor', 'labor.query', 'labor', 'query'],
  ['labor', 'labor_list_tables', 'labor', 'list_tables'],
  ['labor', 'labor/query', 'labor', 'query'],
  ['labor', 'labor:query', 'labor', 'query'],
  ['labor', 'labor-query', 'labor', 'query'],
  ['labor', 'mcp__labor__query', 'labor', 'query'],
  ['labor', 'mcp_labor_query', 'labor', 'query'],
  ['hr-data', `${HR_DATA}__read`, 'hr-data', 'read'],
  ['hr-data', `mcp__${HR_DATA}__read`, 'hr-data', 'read'],
  ['hr-data', 'hr-data__read', 'hr-data', 'read'],
  // Without its server, and with a label that is none of ours.
  ['', 'labor__query', 'labor', 'query'],
  ['mcp_server_1', 'hr-data__query', 'hr-data', 'query'],
])('of %j, %j is the tool %j %j', (server, tool, ownServer, ownTool) => {
  expect(nameOf({ server, tool })).toEqual({ server: ownServer, tool: ownTool })
})

test.each([
  ['a tool that is allowed by that very name', 'labor', 'labor_cost'],
  ['a tool of another server', 'labor', 'hr-data__query'],
  ['a name that two tools fit', '', 'hr-data-read'],
  ['a name that no tool fits', 'labor', 'labor__drop'],
  ['a name with no more than a part of the server’s', 'labor', 'lab__query'],
  ['a name in other letters', 'labor', 'Labor__Query'],
  ['a plain name whose server nobody said', '', 'query'],
  ['a plain name of a server that is none of ours', 'other', 'drop'],
  ['no name', 'labor', ''],
])('%s stays as it was reported', (_, server, tool) => {
  expect(nameOf({ server, tool })).toEqual({ server, tool })
})
