/** The place of the terminals: docked in a wide window, one at a time in a narrow one. Loaded when somebody is signed in. */
import { effect, signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { box, boxes, isNarrow, ptyId, tabsOf, terminal } from '../app.ts'
import { nextPlace } from '../boxes/actions.ts'
import { closeBox, closePane, lookAt, paneOf, panesOf } from '../terminal/panes.ts'
import { isDialogOpen } from '../ui/dialog.tsx'
import type { Dock } from './dock.ts'

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
      if (terminal.peek() === pane) return
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
    if (isNarrow.peek())
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

export function Stage() {
  const root = useRef<HTMLDivElement>(null)
  const narrow = isNarrow.value
  useEffect(() => {
    const place = root.current
    if (!place) return
    const stops = [forgetGone()]
    let isOver = false
    if (narrow) stops.push(showOne(place))
    else
      void import('./dock.ts').then(({ Dock }) => {
        if (!isOver) stops.push(showDocks(place, Dock))
      })
    return () => {
      isOver = true
      for (const stop of stops) stop()
    }
  }, [narrow])
  return <div class="stage" ref={root} />
}
