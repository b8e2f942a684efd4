import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { startMcpHttp, type RunningServer } from './mcp-http.ts'

const MAX_ROWS = 200

const columns = [
  ['industry', 'text', 'Industry, such as Construction.'],
  ['year', 'integer', 'Four digits.'],
  ['month', 'integer', '1 to 12.'],
  ['unemployed_thousands', 'integer', 'Unemployed persons in thousands.'],
  ['rate_percent', 'real', 'Unemployment rate of the industry in percent.'],
] as const

/** The data in a database in memory that can only be read. */
export function openLaborDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  database.exec(`create table unemployment (${columns.map(([name, type]) => `${name} ${type} not null`).join(', ')})`)
  const insert = database.prepare('insert into unemployment values (?, ?, ?, ?, ?)')
  const [, ...lines] = readFileSync(join(import.meta.dirname, 'data/unemployment.csv'), 'utf8')
    .trim()
    .split('\n')
  database.exec('begin')
  for (const line of lines) {
    const [industry = '', ...numbers] = line.split(',')
    insert.run(industry, ...numbers.map(Number))
  }
  database.exec('commit; pragma query_only = on')
  return database
}

function createMcpServer(database: DatabaseSync): McpServer {
  const server = new McpServer({ name: 'labor', version: '1.0.0' })
  const readOnly = { readOnlyHint: true, openWorldHint: false }
  server.registerTool(
    'describe_tables',
    { description: 'Lists the tables with their columns and what they mean.', inputSchema: {}, annotations: readOnly },
    () => ({
      content: [
        {
          type: 'text',
          text: JSON.stringify({
            tables: [{ name: 'unemployment', columns: columns.map(([name, type, meaning]) => ({ name, type, meaning })) }],
          }),
        },
      ],
    }),
  )
  server.registerTool(
    'query',
    {
      description: `Runs one SELECT over the tables (SQLite). Returns at most ${MAX_ROWS} rows.`,
      inputSchema: { sql: z.string().describe('One SELECT statement.') },
      annotations: readOnly,
    },
    ({ sql }) => queryRows(database, sql),
  )
  return server
}

/** What a SELECT gives, as a tool's result: the first rows, and whether there are more. `more` is put beside them. */
export function queryRows(database: DatabaseSync, sql: string, more: Record<string, unknown> = {}): CallToolResult {
  try {
    const rows = database.prepare(sql).all()
    const result = { rows: rows.slice(0, MAX_ROWS), truncated: rows.length > MAX_ROWS, ...more }
    return { content: [{ type: 'text', text: JSON.stringify(result) }] }
  } catch (error) {
    return {
      content: [{ type: 'text', text: `The query failed: ${error instanceof Error ? error.message : String(error)}` }],
      isError: true,
    }
  }
}

/** A small SQL server over real data: read-only and stateless. */
export function startLaborServer(listen: { host?: string; port?: number } = {}): Promise<RunningServer> {
  const database = openLaborDatabase()
  return startMcpHttp({ create: () => createMcpServer(database), sessions: false, close: () => database.close(), ...listen })
}
