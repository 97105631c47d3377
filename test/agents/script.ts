/**
 * What a scripted model says: a flat list of steps, played one per request.
 *
 * Nothing is remembered between requests. The step that comes next follows from the conversation that the
 * agent sends along, so that retries, side requests and a restarted agent cannot put the script out of step.
 */

/** One answer of the model. The file tools exist so that an agent's own edit path is exercised too. */
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

/** Said when the script is over: visible in a failing test's screen, and ends the agent's turn. */
export const SCRIPT_OVER: Step = say('The script is over.')

/**
 * The step that a conversation is due: every tool result and every finished answer in it used one up.
 */
export function nextStep(script: Script, toolResults: number, finishedAnswers: number): Step {
  return script[toolResults + finishedAnswers] ?? SCRIPT_OVER
}

export type Json = { readonly [key: string]: unknown }

/** An object from the wire, or an empty one: a scripted model never fails on what it does not know. */
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
