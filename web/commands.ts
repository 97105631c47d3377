/** Runs the commands of shortcuts and menus. */
import { box, isDrawerOpen, isNarrow, isReadonly, notify, ptyId, terminal } from './app.ts'
import { newBox, newShell, openSettings, openShortcuts, openSwitcher, step } from './boxes/actions.ts'
import { type Command, commandOf } from './keys.ts'
import { isDialogOpen } from './ui/dialog.tsx'

/** The terminals' part of the page, which is loaded later. */
async function pane() {
  const { paneOf } = await import('./terminal/panes.ts')
  const name = box.value?.name
  return name === undefined ? undefined : paneOf(name, ptyId.value)
}

async function dock() {
  const { dock } = await import('./dock/stage.tsx')
  return dock.value
}

async function copySelection(): Promise<void> {
  const { copy } = await import('./terminal/clipboard.ts')
  const text = (await pane())?.terminal.getSelection()
  if (text && !(await copy(text))) notify('The browser does not allow copying here.', { kind: 'error' })
}

const COMMANDS: Readonly<Record<Command, () => unknown>> = {
  switchBox: openSwitcher,
  newBox: () => isReadonly.value || newBox(),
  newShell: () => isReadonly.value || newShell(),
  splitRight: () => isReadonly.value || newShell('right'),
  splitDown: () => isReadonly.value || newShell('below'),
  nextTab: () => step(1),
  previousTab: () => step(-1),
  search: async () => {
    const shown = await pane()
    if (shown) shown.isSearching.value = true
  },
  copy: copySelection,
  focusLeft: async () => (await dock())?.focus('left'),
  focusRight: async () => (await dock())?.focus('right'),
  focusUp: async () => (await dock())?.focus('up'),
  focusDown: async () => (await dock())?.focus('down'),
  moveLeft: async () => (await dock())?.move('left'),
  moveRight: async () => (await dock())?.move('right'),
  moveUp: async () => (await dock())?.move('up'),
  moveDown: async () => (await dock())?.move('down'),
  pageUp: () => terminal.value?.scroll(-terminal.value.size.rows),
  pageDown: () => terminal.value?.scroll(terminal.value.size.rows),
  sidebar: () => {
    if (isNarrow.value) isDrawerOpen.value = !isDrawerOpen.value
    else document.querySelector<HTMLElement>('.box-item[aria-current]')?.focus()
  },
  settings: openSettings,
  shortcuts: openShortcuts,
}

export function run(command: Command): void {
  void COMMANDS[command]()
}

/** Takes shortcuts before the terminal sees their keys. */
export function listenForShortcuts(): void {
  window.addEventListener(
    'keydown',
    (event) => {
      const command = commandOf(event)
      if (!command || event.isComposing || isDialogOpen()) return
      event.preventDefault()
      event.stopPropagation()
      run(command)
    },
    true,
  )
}
