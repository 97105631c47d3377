/** A button with a menu: arrows move in it, Escape and a click elsewhere close it. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'

export interface MenuItem {
  readonly label: string
  readonly icon?: IconName
  readonly keys?: string | undefined
  readonly isDangerous?: boolean
  readonly disabled?: boolean
  /** Begins a new section. */
  readonly begins?: boolean
  run(): void
}

export function Menu(props: {
  label: string
  items: readonly MenuItem[]
  children: ComponentChildren
  class?: string
}) {
  const { label, items, children } = props
  const isOpen = useSignal(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const entries = (): HTMLElement[] => [
    ...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? []),
  ]
  const close = (): void => {
    isOpen.value = false
    button.current?.focus()
  }
  useEffect(() => {
    if (!isOpen.value) return
    entries()[0]?.focus()
    const outside = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) isOpen.value = false
    }
    document.addEventListener('pointerdown', outside, true)
    return () => document.removeEventListener('pointerdown', outside, true)
  }, [isOpen.value])
  const move = (event: KeyboardEvent): void => {
    if (!isOpen.value) return
    const all = entries()
    const at = all.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key] ?? undefined
    if (event.key === 'Escape' || event.key === 'Tab') close()
    else if (to !== undefined) all.at(to % all.length)?.focus()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the menu inside.
    <div class="menu" ref={root} onKeyDown={move}>
      <button
        ref={button}
        type="button"
        class={props.class ?? 'icon-button'}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value
        }}
      >
        {children}
      </button>
      {isOpen.value ? (
        <div class="menu-items" role="menu" aria-label={label}>
          {items.map(({ label, icon, keys, isDangerous, disabled, begins, run }) => (
            <button
              key={label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={`menu-item ${isDangerous ? 'danger' : ''} ${begins ? 'begins' : ''}`}
              disabled={disabled}
              onClick={() => {
                close()
                run()
              }}
            >
              <span class="menu-icon">{icon ? <Icon name={icon} /> : null}</span>
              <span class="menu-label">{label}</span>
              {keys ? <kbd>{keys}</kbd> : null}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  )
}
