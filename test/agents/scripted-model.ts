/**
 * A server that plays a scripted model to a real agent: no account, no internet, the same answers each time.
 * It speaks only the parts of the providers' APIs that the agents' command lines use.
 */

import { answerAnthropic } from './anthropic-api.ts'
import { answerOpenAi } from './openai-api.ts'
import { asObject, type Json, type Script } from './script.ts'

const MAX_BODY_BYTES = 16 * 1024 * 1024 // a request repeats the whole conversation; real ones stay below 1 MB
const MAX_REQUESTS = 1_000 // an agent that loops against the script is stopped, not served for ever

/** One request as the tests see it: enough to explain a failure, and no header, so no token. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly body: Json
}

export interface ScriptedModel extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a path: for `ANTHROPIC_BASE_URL`. OpenAI's base has `/v1` after it. */
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** The keys that it was shown, for tests that make them up. */
  readonly keys: ReadonlySet<string>
}

/** Starts the server on a free port of the loopback interface. Dispose of it to end it. */
export function startScriptedModel(script: Script): ScriptedModel {
  const requests: SeenRequest[] = []
  const keys = new Set<string>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    maxRequestBodySize: MAX_BODY_BYTES,
    async fetch(request) {
      const path = new URL(request.url).pathname
      if (requests.length >= MAX_REQUESTS) return apiError(429, 'the scripted model has answered enough')
      const body = await readJson(request)
      requests.push({ method: request.method, path, body })
      for (const name of ['x-api-key', 'authorization', 'x-goog-api-key'])
        if (request.headers.has(name)) keys.add(`${request.headers.get(name)}`.replace(/^Bearer /, ''))
      if (request.method === 'HEAD') return new Response(null)
      if (request.method === 'GET') return answerGet(path)
      return answerAnthropic(script, path, body) ?? answerOpenAi(script, path, body) ?? answerOther(path)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    keys,
    async [Symbol.asyncDispose]() {
      await server.stop(true)
    },
  }
}

async function readJson(request: Request): Promise<Json> {
  try {
    return asObject(JSON.parse(await request.text()))
  } catch {
    return {} // HEAD and GET have none, and telemetry is not always JSON
  }
}

function answerGet(path: string): Response {
  // Both providers list models at this path; Codex reads `models`, the others `data`.
  if (path === '/v1/models') return Response.json({ object: 'list', data: [], models: [], has_more: false })
  return apiError(404, `nothing at ${path}`)
}

/** Telemetry, feature flags and similar requests are accepted and dropped. */
function answerOther(path: string): Response {
  return path.startsWith('/api/') ? Response.json({}) : apiError(404, `nothing at ${path}`)
}

function apiError(status: number, message: string): Response {
  return Response.json({ type: 'error', error: { type: 'scripted_model_error', message } }, { status })
}
