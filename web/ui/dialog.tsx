/** Dialogs: one at a time, each in a chunk of its own, in the browser's own modal element (focus, Escape, inert page). */
import { signal } from '@preact/signals'
import type { ComponentChildren, ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { notifyError } from '../app.ts'
import { IconButton } from './button.tsx'

const shown = signal<ComponentType | undefined>(undefined)

export const isDialogOpen = (): boolean => shown.value !== undefined

/** Shows a dialog in place of the one that is open. */
export function openDialog(component: ComponentType): void {
  shown.value = component
}

/** Loads a dialog's code and shows it. */
export function loadDialog(load: () => Promise<ComponentType>): void {
  load().then(openDialog, () =>
    notifyError(new Error('This part of the page could not be loaded. Is the server away?')),
  )
}

export function closeDialog(): void {
  shown.value = undefined
}

/** The place for dialogs. */
export function Dialogs() {
  const Shown = shown.value
  return Shown ? <Shown /> : null
}

export function Dialog(props: {
  title: string
  children: ComponentChildren
  onClose?: (() => void) | undefined
  wide?: boolean
}) {
  const { title, children, onClose = closeDialog, wide } = props
  const element = useRef<HTMLDialogElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const before = useRef<Element | null>(null)
  useLayoutEffect(() => {
    before.current = document.activeElement
    element.current?.showModal()
    const first = element.current?.querySelector<HTMLElement>('[data-autofocus]') ?? box.current
    first?.focus()
    if (first instanceof HTMLInputElement) first.select()
  }, [])
  useEffect(() => {
    const focused = before.current
    return () => {
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what a click beside the dialog does.
    <dialog
      ref={element}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose()
      }}
    >
      <div class="dialog-box" ref={box} tabIndex={-1}>
        <header class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  )
}

interface Question {
  readonly title: string
  readonly text: ComponentChildren
  readonly yes: string
  readonly isDangerous?: boolean
}

/** Asks a question; resolves to the answer. */
export function ask({ title, text, yes, isDangerous }: Question): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const answer = (is: boolean): void => {
    closeDialog()
    resolve(is)
  }
  openDialog(() => (
    <Dialog title={title} onClose={() => answer(false)}>
      <div class="dialog-body">{text}</div>
      <footer class="dialog-foot">
        <button type="button" class="button plain" onClick={() => answer(false)}>
          Cancel
        </button>
        <button
          type="button"
          class={`button ${isDangerous ? 'danger' : 'primary'}`}
          data-autofocus=""
          onClick={() => answer(true)}
        >
          {yes}
        </button>
      </footer>
    </Dialog>
  ))
  return promise
}
