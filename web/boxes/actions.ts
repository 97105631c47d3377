/** What the page's buttons, menus and shortcuts do. */
import { signal } from '@preact/signals'
import { CoopError } from '../../src/core/errors.ts'
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'
import { boxes, boxName, connection, notify, notifyError, ptyId, show, tabs, terminal } from '../app.ts'
import { forgetKey, signOut, storedKey } from '../connection/sign-in.ts'
import { ask, loadDialog } from '../ui/dialog.tsx'

/** Where the dock puts the next new terminal; undefined: in a tab of the active pane. */
export const nextPlace = signal<'right' | 'below' | undefined>(undefined)

/** The daemon puts in the environment of whoever serves. */
const NO_ENVIRONMENT = {}
const at = (name: string) => ({ box: name, cwd: '' })

function daemon() {
  const link = connection.value
  if (!link) throw new Error('nobody is signed in')
  return link
}

/** Runs an action of the user's; what goes wrong is shown with its way out. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    notifyError(error)
    return undefined
  }
}

/** The same for work that a project's coop.toml may block: asks the user whether to trust it. */
function attemptTrusting<T>(work: () => Promise<T>): Promise<T | undefined> {
  return attempt(async () => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CoopError) || error.code !== 'E_TRUST') throw error
      const { trusting } = await import('./trust.tsx')
      return trusting(work)
    }
  })
}

function warn(warnings: readonly string[]): void {
  for (const text of warnings) notify(text)
}

export const newBox = (): void => loadDialog(async () => (await import('./new-box.tsx')).NewBox)
export const openSettings = (): void =>
  loadDialog(async () => (await import('../settings/dialog.tsx')).SettingsDialog)
export const openShortcuts = (): void =>
  loadDialog(async () => (await import('../settings/shortcuts.tsx')).Shortcuts)
export const openSwitcher = (): void => loadDialog(async () => (await import('./switcher.tsx')).Switcher)
export const openStatus = (): void => loadDialog(async () => (await import('./status.tsx')).StatusDialog)
export const openLogs = (): void => loadDialog(async () => (await import('./logs.tsx')).LogsDialog)
export const openSnapshots = (): void =>
  loadDialog(async () => (await import('./snapshots.tsx')).SnapshotsDialog)

/** Opens a shell in the current box and shows it. */
export async function newShell(place?: 'right' | 'below'): Promise<void> {
  const name = boxName.value
  if (name === undefined) return
  await attempt(async () => {
    const link = daemon()
    // The shell is shown on a channel of its own for a moment; its pane attaches on another one.
    const channel = link.takeChannel(NOBODY)
    try {
      const size = terminalSize()
      const request = {
        ...at(name),
        command: [],
        fresh: true,
        term: 'xterm-256color',
        size,
        terminal: 'browser',
      }
      const { pty } = await link.call('shell.open', request, channel)
      nextPlace.value = place
      boxes.value = await link.call('box.list', {})
      show(name, pty)
    } finally {
      link.closeChannel(channel)
    }
  })
}

const nothing = (): void => {}
const NOBODY = {
  ...{ output: nothing, screen: nothing, picture: nothing, taken: nothing },
  ...{ notice: nothing, exit: nothing, connected: nothing, lost: nothing },
}

function terminalSize(): { columns: number; rows: number } {
  const shown = terminal.value
  return shown ? shown.size : { columns: 80, rows: 24 }
}

export async function killShell(name: string, pty: number): Promise<void> {
  const yes = await ask({
    title: `End shell ${pty}?`,
    text: `The programs in shell ${pty} of ${name} end with it.`,
    yes: 'End it',
    isDangerous: true,
  })
  if (yes) await attempt(() => daemon().call('pty.kill', { ...at(name), pty }))
}

export async function restartProgram(name: string, pty: number, title: string): Promise<void> {
  const yes = await ask({
    title: `Restart ${title}?`,
    text: `${title} in ${name} ends and starts again. Its files stay.`,
    yes: 'Restart',
  })
  if (!yes) return
  const done = await attemptTrusting(() =>
    daemon().call('pty.restart', { ...at(name), pty, environment: NO_ENVIRONMENT }),
  )
  if (done) warn(done.warnings)
}

export async function stopBox(name: string): Promise<void> {
  const yes = await ask({
    title: `Stop ${name}?`,
    text: 'All programs in the box end. Its files stay, and it can be started again.',
    yes: 'Stop',
  })
  if (yes) await attempt(() => daemon().call('box.stop', { ...at(name), force: false }))
}

export async function startBox(name: string): Promise<void> {
  const done = await attemptTrusting(() =>
    daemon().call('box.start', { ...at(name), environment: NO_ENVIRONMENT }),
  )
  if (done) warn(done.warnings)
}

export async function restartBox(name: string): Promise<void> {
  const yes = await ask({
    title: `Restart ${name}?`,
    text: 'All programs in the box end, and it starts again with its current configuration. Its files stay.',
    yes: 'Restart',
  })
  if (!yes) return
  const stopped = await attempt(() => daemon().call('box.stop', { ...at(name), force: false }))
  if (stopped) await startBox(name)
}

export async function killBox(info: BoxInfo): Promise<void> {
  const { name, workspace } = info
  const yes = await ask({
    title: `Kill ${name}?`,
    text: `All programs in the box end, and the box's own files are removed. The project in ${workspace} stays.`,
    yes: 'Kill',
    isDangerous: true,
  })
  if (yes) await attempt(() => daemon().call('box.kill', { ...at(name), force: false }))
}

export async function signOutHere(): Promise<void> {
  const yes = await ask({
    title: 'Sign out?',
    text: 'To sign in again, this browser needs the address with the token, which “coop serve” prints.',
    yes: 'Sign out',
  })
  const key = storedKey()
  if (!yes) return
  if (key) await signOut(key)
  forgetKey()
  connection.value?.stop()
}

/** Selects the terminal `by` places further in the list. */
export function step(by: number): void {
  const all = tabs.value
  const at = all.findIndex(({ pty }) => pty === ptyId.value)
  const next = all.at((at + by) % all.length)
  if (next) ptyId.value = next.pty
}
