/**
 * The part of the OpenAI Responses API that Codex uses.
 * Shapes: https://platform.openai.com/docs/api-reference/responses and …/responses-streaming.
 */

import { asArray, asObject, eventStream, type Json, nextStep, type Script, type Step } from './script.ts'

/** Answers one request, or returns undefined when the path is not part of this API. */
export function answerOpenAi(script: Script, path: string, body: Json): Response | undefined {
  if (path !== '/v1/responses') return undefined
  const offered = new Set(asArray(body.tools).map((tool) => asObject(tool).name))
  const shellTool = ['exec_command', 'shell_command'].find((name) => offered.has(name))
  // Requests for titles, summaries and reviews come without a shell tool.
  if (shellTool === undefined) return reply(message('ok'))
  return reply(output(dueStep(script, body), shellTool))
}

function dueStep(script: Script, body: Json): Step {
  let toolResults = 0
  let finished = 0
  for (const raw of asArray(body.input)) {
    const item = asObject(raw)
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') toolResults += 1
    if (item.type === 'message' && item.role === 'assistant') finished += 1
  }
  return nextStep(script, toolResults, finished)
}

function message(text: string): Json {
  const content = [{ type: 'output_text', text, annotations: [] }]
  return { type: 'message', id: id('msg'), role: 'assistant', status: 'completed', content }
}

function output(step: Step, shellTool: string): Json {
  switch (step.kind) {
    case 'text':
      return message(step.text)
    case 'shell':
      return run(step.command, shellTool)
    case 'write':
      return run(patch(`*** Add File: ${step.path}\n${prefixed('+', step.content)}`), shellTool)
    case 'edit': {
      const lines = `${prefixed('-', step.from)}\n${prefixed('+', step.to)}`
      return run(patch(`*** Update File: ${step.path}\n@@\n${lines}`), shellTool)
    }
  }
}

function run(command: string, shellTool: string): Json {
  const key = shellTool === 'exec_command' ? 'cmd' : 'command'
  const call = { type: 'function_call', id: id('fc'), call_id: id('call'), name: shellTool }
  return { ...call, status: 'completed', arguments: JSON.stringify({ [key]: command }) }
}

/** Codex gives models that it does not know no patch tool; it recognises this command in the shell tool instead. */
function patch(hunk: string): string {
  return `apply_patch <<'SCRIPTED_PATCH'\n*** Begin Patch\n${hunk}\n*** End Patch\nSCRIPTED_PATCH`
}

function prefixed(sign: string, text: string): string {
  const lines = text.replace(/\n$/, '').split('\n')
  return lines.map((line) => sign + line).join('\n')
}

function reply(item: Json): Response {
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 10,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 20,
  }
  const response = { id: id('resp'), object: 'response', output: [item], usage }
  return eventStream([
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { ...response, status: 'completed' } },
  ])
}

function id(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().replaceAll('-', '')}`
}
