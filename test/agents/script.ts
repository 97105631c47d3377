/**
 * The answers of a scripted model: a flat list of steps, one for each request.
 *
 * The model remembers nothing between requests. The conversation in a request determines the next step,
 * so retries, side requests and a restarted agent cannot put the script out of step.
 */

/** One answer of the model. The file tools exist to exercise the agent's own way of editing, too. */
export type Step =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'shell'; readonly command: string }
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'edit'; readonly path: string; readonly from: string; readonly to: string }

export type Script = readonly Step[]

export const say = (text: string): Step => ({ kind: 'text', text })
export const shell = (command: string): Step => ({ kind: 'shell', command })
export const write = (path: string, content: string): Step => ({ kind: 'write', path, content })
export const edit = (path: string, from: string, to: string): Step => ({ kind: 'edit', path, from, to })

/** The answer after the last step: it shows in a failing test's screen and ends the agent's turn. */
export const SCRIPT_OVER: Step = say('The script is over.')

/**
 * The next step of a conversation: every tool result and every finished answer in it used one up.
 */
export function nextStep(script: Script, toolResults: number, finishedAnswers: number): Step {
  return script[toolResults + finishedAnswers] ?? SCRIPT_OVER
}

export type Json = { readonly [key: string]: unknown }

/** An object from the wire, or an empty one: a scripted model never fails on unknown input. */
export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Server-sent events: each has a name (both APIs repeat it as `type` in the data). */
export function eventStream(events: readonly Json[]): Response {
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } })
}
