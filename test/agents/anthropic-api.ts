/**
 * The part of the Anthropic Messages API that Claude Code uses.
 * Shapes: https://docs.anthropic.com/en/api/messages and …/messages-streaming.
 */

import { asArray, asObject, eventStream, type Json, nextStep, type Script, type Step, say } from './script.ts'

const USAGE = {
  input_tokens: 10,
  output_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
}

/** Answers one request, or returns undefined when the path is not part of this API. */
export function answerAnthropic(script: Script, path: string, body: Json): Response | undefined {
  switch (path) {
    case '/v1/messages':
      return reply(body, dueStep(script, body))
    case '/v1/messages/count_tokens':
      return Response.json({ input_tokens: 10 })
    default:
      return undefined
  }
}

function dueStep(script: Script, body: Json): Step {
  const offered = asArray(body.tools).map((tool) => asObject(tool).name)
  // Title generation, quota probes, topic detection and similar requests come without the Bash tool.
  if (!offered.includes('Bash')) return say(auxiliaryText(body))
  let toolResults = 0
  let finished = 0
  for (const raw of asArray(body.messages)) {
    const message = asObject(raw)
    const types = asArray(message.content).map((block) => asObject(block).type)
    if (message.role === 'user') toolResults += types.filter((type) => type === 'tool_result').length
    // A `system` role may also stand between the messages.
    if (message.role === 'assistant' && !types.includes('tool_use')) finished += 1
  }
  return nextStep(script, toolResults, finished)
}

/** A side request that asks for JSON by schema gets text in every required string; others get a word. */
function auxiliaryText(body: Json): string {
  const format = asObject(asObject(body.output_config).format ?? body.output_format)
  const schema = asObject(format.schema)
  const required = asArray(schema.required).filter((key) => typeof key === 'string')
  if (required.length === 0) return 'ok'
  return JSON.stringify(Object.fromEntries(required.map((key) => [key, 'Scripted session'])))
}

function toolUse(step: Step): Json | undefined {
  switch (step.kind) {
    case 'text':
      return undefined
    case 'shell':
      return { name: 'Bash', input: { command: step.command, description: 'Scripted command' } }
    case 'write':
      return { name: 'Write', input: { file_path: step.path, content: step.content } }
    case 'edit':
      return { name: 'Edit', input: { file_path: step.path, old_string: step.from, new_string: step.to } }
  }
}

function reply(body: Json, step: Step): Response {
  const tool = toolUse(step)
  const text = step.kind === 'text' ? step.text : ''
  const id = crypto.randomUUID().replaceAll('-', '')
  const block = tool
    ? { type: 'tool_use', id: `toolu_${id}`, name: tool.name, input: {} }
    : { type: 'text', text: '' }
  const stop = tool ? 'tool_use' : 'end_turn'
  const message = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: body.model ?? 'scripted',
    stop_sequence: null,
    usage: USAGE,
  }
  if (body.stream !== true) {
    const content = tool ? { ...block, input: tool.input } : { type: 'text', text }
    return Response.json({ ...message, content: [content], stop_reason: stop })
  }
  const delta = tool
    ? { type: 'input_json_delta', partial_json: JSON.stringify(tool.input) }
    : { type: 'text_delta', text }
  return eventStream([
    { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: 10 },
    },
    { type: 'message_stop' },
  ])
}
