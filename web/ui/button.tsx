import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.tsx'

/** A button that shows only an icon; its label is a tooltip, and what screen readers say. */
export function IconButton(props: {
  icon: IconName
  label: string
  /** Keys that do the same. */
  keys?: string | undefined
  onClick: (event: MouseEvent) => void
  disabled?: boolean | undefined
  pressed?: boolean | undefined
  class?: string
}) {
  const { icon, label, keys, onClick, disabled, pressed } = props
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ''}`}
      aria-label={label}
      aria-pressed={pressed}
      title={keys ? `${label} (${keys})` : label}
      onClick={onClick}
      disabled={disabled}
    >
      <Icon name={icon} />
    </button>
  )
}

export function Button(props: {
  children: ComponentChildren
  onClick?: (() => void) | undefined
  kind?: 'plain' | 'primary' | 'danger'
  submit?: boolean
  disabled?: boolean | undefined
  autoFocus?: boolean
}) {
  const { children, onClick, kind = 'plain', submit, disabled, autoFocus } = props
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={`button ${kind}`}
      onClick={onClick}
      disabled={disabled}
      data-autofocus={autoFocus ? '' : undefined}
    >
      {children}
    </button>
  )
}
