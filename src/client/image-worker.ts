/** The client's end of the process that pulls and unpacks images (src/worker/main.ts). */
import { CoopError, errorFromJson } from '../core/errors.ts'
import type {
  WorkerCallName,
  WorkerEvent,
  WorkerLine,
  WorkerReply,
  WorkerRequest,
} from '../protocol/worker-calls.ts'

/** The hidden command that makes this executable the worker. */
export const WORKER_COMMAND = '--image-worker'

// Variables that the network and the folders depend on; none that makes a Bun executable run other code.
const WORKER_ENVIRONMENT =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_ALL|TZ|XDG_(?:CONFIG|DATA|CACHE)_HOME|XDG_RUNTIME_DIR|COOP_(?:CONFIG|DATA|CACHE|RUNTIME)_DIR|DOCKER_CONFIG|REGISTRY_AUTH_FILE|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY|DBUS_SESSION_BUS_ADDRESS)$/

const INTERRUPTED = 130

/** Asks the worker, and resolves with its reply. Raises its error, and E_INTERRUPTED when it was interrupted. */
export async function askWorker<N extends WorkerCallName>(
  name: N,
  request: WorkerRequest<N>,
  onEvent: (event: WorkerEvent) => void,
): Promise<WorkerReply<N>> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => WORKER_ENVIRONMENT.test(name)),
  )
  const child = Bun.spawn([process.execPath, WORKER_COMMAND], {
    argv0: 'coop',
    env,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  // Ctrl+C reaches the worker, too. It ends first, then this process does.
  const interrupted = (): void => child.kill('SIGINT')
  let isDone = false
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', interrupted)
  try {
    child.stdin.write(`${JSON.stringify({ do: name, ...request })}\n`)
    child.stdin.flush()
    let text = ''
    const decoder = new TextDecoder()
    for await (const piece of child.stdout) {
      text += decoder.decode(piece, { stream: true })
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const event = JSON.parse(text.slice(0, end)) as WorkerLine
        text = text.slice(end + 1)
        if (event.event === 'error') throw errorFromJson(event.error)
        if (event.event === 'reply') {
          isDone = true
          return event.value as WorkerReply<N> // the worker is this very executable
        }
        onEvent(event)
      }
    }
    const code = await child.exited
    if (code === INTERRUPTED)
      throw new CoopError('E_INTERRUPTED', 'interrupted', {
        hint: 'run it again to continue; the downloaded layers are kept',
      })
    throw new CoopError('E_FAILED', `the process that unpacks images ended (${child.signalCode ?? code})`, {
      hint: 'run it again; complete layers are kept',
    })
  } finally {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
    child.stdin.end()
    // A worker that has answered may take a while to write everything to the disk.
    if (isDone) child.unref()
    else await child.exited
  }
}
