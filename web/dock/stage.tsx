/** The place of the terminals: docked in a wide window, one at a time in a narrow one. Loaded when somebody is signed in. */
import { effect, signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { box, boxes, isNarrow, notify, ptyId, tabs, tabsOf, terminal } from '../app.ts'
import { nextPlace } from '../boxes/actions.ts'
import { closeBox, closePane, lookAt, paneOf, panesOf } from '../terminal/panes.ts'
import { isDialogOpen } from '../ui/dialog.tsx'
import type { Dock } from './dock.ts'
import { TabLabel } from './tab.tsx'

const docks = new Map<string, Dock>()
/** The dock of the box that is shown. */
export const dock = signal<Dock | undefined>(undefined)

/** Shows the docks of boxes in `root`, until the returned function is called. */
function showDocks(root: HTMLElement, make: typeof Dock): () => void {
  const stops = [
    // Which box, and which terminals it has.
    effect(() => {
      const info = box.value
      for (const [name, one] of docks) one.isShown = name === info?.name
      if (!info) {
        dock.value = undefined
        return
      }
      for (const name of lookAt(info.name)) drop(name)
      let own = docks.get(info.name)
      if (!own) {
        const name = info.name
        own = new make({
          box: name,
          onActive: (pty) => {
            if (box.peek()?.name === name) ptyId.value = pty
          },
        })
        docks.set(name, own)
        root.append(own.element)
      }
      own.isShown = true
      own.layout()
      const place = nextPlace.peek() ?? 'within'
      nextPlace.value = undefined
      own.update(
        tabsOf(info).map(({ pty, label }) => ({ id: pty, title: label })),
        place,
      )
      dock.value = own
    }),
    // Which of them is looked at.
    effect(() => {
      const own = dock.value
      const name = box.value?.name
      if (!own || name === undefined) return
      own.activate(ptyId.value)
      const pane = paneOf(name, ptyId.value)
      // One that stood alone before lost its focus on the way into a dock.
      if (terminal.peek() === pane && document.activeElement !== document.body) return
      terminal.value = pane
      if (pane && !isDialogOpen()) requestAnimationFrame(() => pane.focus())
    }),
  ]
  const resized = new ResizeObserver(() => dock.value?.layout())
  resized.observe(root)
  return () => {
    resized.disconnect()
    for (const stop of stops) stop()
    for (const name of [...docks.keys()]) drop(name)
    dock.value = undefined
  }
}

function drop(name: string): void {
  docks.get(name)?.close()
  docks.delete(name)
}

/** Shows one terminal in `root`. */
function showOne(root: HTMLElement): () => void {
  let last: ReturnType<typeof paneOf>
  const stop = effect(() => {
    const info = box.value
    const pane = info && paneOf(info.name, ptyId.value)
    if (info) lookAt(info.name)
    if (pane === last) return
    if (last) {
      last.isShown = false
      last.element.remove()
    }
    last = pane
    terminal.value = pane
    if (!pane) return
    root.append(pane.element)
    pane.isShown = true
    // On a phone the keyboard would come up. A narrow window beside an editor has a real one.
    const isPhone = isNarrow.peek() && matchMedia('(pointer: coarse)').matches
    if (!isPhone && !isDialogOpen()) requestAnimationFrame(() => pane === last && pane.focus())
  })
  return () => {
    stop()
    if (last) last.isShown = false
    last?.element.remove()
  }
}

/** Boxes and terminals that are gone lose their buffers. */
function forgetGone(): () => void {
  let before = new Set<string>()
  return effect(() => {
    const all = boxes.value
    if (!all) return
    const names = new Set(all.map(({ name }) => name))
    for (const name of before) {
      if (names.has(name)) continue
      drop(name)
      closeBox(name)
    }
    if (!docks.size)
      for (const info of all) {
        const ptys = new Set(tabsOf(info).map(({ pty }) => pty))
        for (const pane of panesOf(info.name)) if (!ptys.has(pane.pty)) closeGone(pane.box, pane.pty)
      }
    before = names
  })
}

function closeGone(name: string, pty: number): void {
  // The one that is shown goes when another one is chosen.
  if (terminal.peek()?.box === name && terminal.peek()?.pty === pty) return
  closePane(name, pty)
}

/** The code of the docks, once it was needed. */
const docking = signal<typeof Dock | undefined>(undefined)

async function loadDocks(): Promise<void> {
  try {
    docking.value = (await import('./dock.ts')).Dock
  } catch {
    notify('The panes could not be loaded: the server is away.', {
      kind: 'error',
      hint: 'load the page again when it is back',
    })
  }
}

/**
 * Docks are a third of the page, and a box with one terminal needs none: it is shown alone until there is a second one
 * somewhere.
 */
export function Stage() {
  const root = useRef<HTMLDivElement>(null)
  const narrow = isNarrow.value
  const Docks = docking.value
  const isAlone = tabs.value.length < 2
  const how = narrow ? 'narrow' : Docks ? 'docks' : isAlone ? 'alone' : 'loading'
  useEffect(() => {
    if (how === 'loading') void loadDocks()
  }, [how])
  useEffect(() => {
    const place = root.current
    if (!place) return
    const stops = [forgetGone()]
    if (how === 'docks' && Docks) stops.push(showDocks(place, Docks))
    else if (how !== 'loading') stops.push(showOne(place))
    return () => {
      for (const stop of stops) stop()
    }
  }, [how, Docks])
  return (
    <>
      {how === 'alone' ? <LoneTab /> : null}
      <div class="stage" ref={root} />
    </>
  )
}

/** Looks like the tab of a dock. */
function LoneTab() {
  const name = box.value?.name
  if (name === undefined) return null
  return (
    <div class="lone-tab">
      <div class="lone-tab-label">
        <TabLabel name={name} pty={ptyId.value} />
      </div>
    </div>
  )
}
