/** The user's own command for when an agent waits: `[session] notify`, from the global configuration only. */
import type { WaitingEvent } from '../protocol/events.ts'
import type { Log } from './log.ts'
import type { Registry } from './registry.ts'

const MAX_MS = 30_000 // a notifier that hangs is ended

export interface Notification {
  readonly box: string
  readonly workspace: string
  /** What the agent said. It comes from the box: one line, no control characters, but still its words. */
  readonly text: string | undefined
}

/** Run `command` by the shell, with what happened in its environment and never in its text. */
export async function runNotifier(command: string, about: Notification, log: Log): Promise<void> {
  const child = Bun.spawn(['/bin/sh', '-c', command], {
    cwd: '/',
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    env: {
      ...process.env,
      COOP_BOX: about.box,
      COOP_WORKSPACE: about.workspace,
      COOP_TEXT: about.text ?? '',
    },
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS)
  const code = await child.exited
  clearTimeout(timer)
  if (code !== 0) log('notify-failed', { box: about.box, code })
}

/** Tell the user that an agent waits, if a command for that is configured. */
export function notify(registry: Registry, { box: name, text }: WaitingEvent, log: Log): void {
  const box = registry.boxes.find((one) => one.name === name)
  if (!box || box.ending || !box.manifest.notify) return
  const workspace = box.manifest.plan.workspace.source.path
  void runNotifier(box.manifest.notify, { box: name, workspace, text }, log)
}
