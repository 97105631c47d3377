/** Prints docs/protocol.md and docs/protocol.schema.json from the tables of calls. */

import { CALLS } from '../../src/protocol/calls.ts'
import { PROTOCOL } from '../../src/protocol/server-messages.ts'
import type { Table } from '../../src/protocol/shapes/call.ts'
import type { JsonSchema } from '../../src/protocol/shapes/shapes.ts'
import { WORKER_CALLS } from '../../src/protocol/worker-calls.ts'
import { GENERATED } from './generated.ts'

/** Returns a schema in one line: `{ box?: text, cwd: text }`. */
function brief(schema: JsonSchema): string {
  const { type, properties, required, items, enum: words, anyOf, additionalProperties } = schema
  if (Array.isArray(words)) return words.map((word) => `"${word}"`).join(' \\| ')
  if ('const' in schema) return JSON.stringify(schema.const)
  if (Array.isArray(anyOf)) return anyOf.map((one) => brief(one as JsonSchema)).join(' \\| ')
  if (type === 'array') return `[${brief(items as JsonSchema)}, …]`
  if (properties) {
    const needed = new Set(required as readonly string[])
    const fields = Object.entries(properties).map(
      ([name, field]) => `${name}${needed.has(name) ? '' : '?'}: ${brief(field as JsonSchema)}`,
    )
    return fields.length ? `{ ${fields.join(', ')} }` : '{}'
  }
  if (additionalProperties) return `{ name: ${brief(additionalProperties as JsonSchema)}, … }`
  const names: Record<string, string> = {
    string: 'text',
    integer: 'number',
    number: 'number',
    boolean: 'flag',
    null: 'nothing',
  }
  return names[String(type)] ?? 'anything'
}

function tableOf(calls: Table): string[] {
  return Object.entries(calls).flatMap(([name, { about, request, reply }]) => [
    `### ${name}`,
    '',
    about,
    '',
    `Request: \`${brief(request.schema).replaceAll('\\|', '|')}\``,
    '',
    `Reply: \`${brief(reply.schema).replaceAll('\\|', '|')}\``,
    '',
  ])
}

export function protocolPage(): string {
  const lines = [
    '# The protocol',
    '',
    GENERATED,
    '',
    `This is protocol ${PROTOCOL}. The daemon also serves clients of the protocol before. The bounds of every value are in`,
    '[protocol.schema.json](protocol.schema.json).',
    '',
    '## Frames',
    '',
    '`length(4) type(1) payload`, numbers big endian; the length counts type and payload. Type 1 is a JSON message of at most',
    '1 MiB. The payload of every other type begins with a channel (2 bytes). Type 2 is output, 4 a whole screen and 6 a change',
    'of it, each with an offset (8 bytes) and bytes. Type 3 is input, 5 the amount of input that the program has taken (8 bytes),',
    'and 7 input that a client typed into the terminal directly. Type 8 comes from browsers: how many bytes of frames of a channel',
    'they have shown so far (8 bytes).',
    '',
    '## Messages',
    '',
    'A client begins with `{"type": "hello", "protocol", "version", "dataDir", "client"}`; `client` is a random number that it',
    'keeps when it comes back. The daemon answers with its own `hello`. Then come `{"type": "call", "id", "channel", "call":',
    '{"do": NAME, …request}}`, answered by `{"type": "result", "id", "value"}` or `{"type": "error", "id", "error"}`. A terminal',
    'or command that a call begins uses its channel: `resize`, `signal` and `close` of the client and `exit` and `notice` of the',
    'daemon name it.',
    '',
    'A client that attaches again names in `typed` how much of its input it knows to be taken; the reply names in `taken` from where',
    'on it sends the rest. It sends no input on that channel between the call and the reply.',
    '',
    '## Calls of the daemon',
    '',
    ...tableOf(CALLS),
    '## Calls of the worker',
    '',
    'The worker reads one call as a line of JSON and writes lines of JSON: events, then a reply or an error.',
    '',
    ...tableOf(WORKER_CALLS),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

export function protocolSchema(): string {
  const schemas = (calls: Table): object =>
    Object.fromEntries(
      Object.entries(calls).map(([name, { about, request, reply }]) => [
        name,
        { description: about, request: request.schema, reply: reply.schema },
      ]),
    )
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    protocol: PROTOCOL,
    calls: schemas(CALLS),
    workerCalls: schemas(WORKER_CALLS),
  }
  return `${JSON.stringify(schema, null, 1)}\n`
}
