/**
 * Runs the user's own command when an agent waits: `[session] notify`, from the global configuration only. A box
 * decides when that happens, so the command runs one at a time for each box, at a limited rate, and for a limited time.
 */
import { findSystemProgram, SYSTEM_PATH, trustedPath } from '../host/programs.ts'
import type { WaitingEvent } from '../protocol/events.ts'
import type { Log } from './log.ts'
import type { Registry } from './registry.ts'

const MAX_MS = 30_000 // a notifier that hangs is ended
const PAUSE_MS = 1_000 // between two starts for a box: about the length of a sound, and a person takes in no more
const MAX_AT_ONCE = 4 // over all boxes: a hundred that ring at one moment must not start a hundred programs
const LOOK_MS = 250 // between two checks whether a notifier's background processes have ended

export interface Notification {
  readonly box: string
  readonly workspace: string
  /** Why: `blocked`, `done` or `waiting`. */
  readonly state: string
  /** The agent's message: one line without control characters, but the words are the box's. */
  readonly text: string | undefined
  /** The PATH of the caller that made the box. */
  readonly path?: string | undefined
}

export interface NotifierOptions {
  readonly log: Log
  /** Folders that boxes write. Programs are never taken from there (programs.ts). */
  readonly writable: () => readonly string[]
  readonly maxMs?: number
  readonly pauseMs?: number
}

interface Wanted {
  readonly command: string
  readonly about: Notification
}

export class Notifier {
  readonly #options: NotifierOptions
  /** Process groups by box, each led by its notifier. */
  readonly #running = new Map<string, number>()
  /** The newest notification of each box; the box that has waited longest comes first. */
  readonly #wanted = new Map<string, Wanted>()
  readonly #startedAt = new Map<string, number>()
  #timer: Timer | undefined

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  /** Runs `command` with the shell. The event is passed in its environment and never in its text. */
  tell(command: string, about: Notification): void {
    this.#wanted.set(about.box, { command, about })
    this.#next()
  }

  /** Drops the pending notification of a box, which is no longer true. */
  forget(box: string): void {
    this.#wanted.delete(box)
  }

  /** Ends all notifiers, because the daemon ends. */
  end(): void {
    this.#wanted.clear()
    clearTimeout(this.#timer)
    for (const group of this.#running.values()) killGroup(group)
  }

  #next(): void {
    const { pauseMs = PAUSE_MS } = this.#options
    const now = performance.now()
    for (const [box, startedAt] of this.#startedAt)
      if (now - startedAt >= pauseMs) this.#startedAt.delete(box)
    for (const [box, wanted] of this.#wanted) {
      if (this.#running.size >= MAX_AT_ONCE) return // continues when one of them ends
      if (this.#running.has(box)) continue
      if (this.#startedAt.has(box)) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined
          this.#next()
        }, pauseMs)
        continue
      }
      this.#wanted.delete(box)
      this.#startedAt.set(box, now)
      void this.#run(wanted).finally(() => {
        this.#running.delete(box)
        this.#next()
      })
    }
  }

  async #run({ command, about }: Wanted): Promise<void> {
    const { log, writable, maxMs = MAX_MS } = this.#options
    // timeout(1) also ends the notifier when the daemon was killed meanwhile.
    const timeout = findSystemProgram('timeout')
    const limit = timeout ? [timeout, '-s', 'KILL', `${Math.ceil(maxMs / 1000)}`] : []
    try {
      const child = Bun.spawn([...limit, '/bin/sh', '-c', command], {
        cwd: '/',
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'ignore',
        detached: true, // leads a process group of its own
        env: {
          ...process.env,
          PATH: trustedPath(about.path ?? '', writable()) || SYSTEM_PATH,
          COOP_BOX: about.box,
          COOP_WORKSPACE: about.workspace,
          COOP_STATE: about.state,
          COOP_TEXT: about.text ?? '',
        },
      })
      this.#running.set(about.box, child.pid)
      const late = setTimeout(() => killGroup(child.pid), maxMs)
      const code = await child.exited
      // Processes left in the background count as running, and share the notifier's time limit.
      while (isGroup(child.pid)) await Bun.sleep(LOOK_MS)
      clearTimeout(late)
      if (code !== 0) log('notify-failed', { box: about.box, code })
    } catch (error) {
      log('notify-failed', { box: about.box, error: String(error) })
    }
  }
}

/** Returns whether a process group still exists. Its number is not reused while a process is in it. */
function isGroup(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}

/** Notifies the user that an agent waits, or drops a pending notification when it no longer does. */
export function notify(notifier: Notifier, registry: Registry, event: WaitingEvent): void {
  const box = registry.boxes.find(({ name }) => name === event.box)
  const command = box?.manifest.notify
  const doing = box?.manifest.doing
  if (!box || !command || box.ending || !event.waiting || !doing) return notifier.forget(event.box)
  const workspace = box.manifest.plan.workspace.source.path
  notifier.tell(command, {
    box: event.box,
    workspace,
    state: doing.state,
    text: event.text,
    path: box.manifest.caller?.path,
  })
}
