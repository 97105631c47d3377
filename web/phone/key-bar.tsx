/**
 * The keys that keyboards of phones lack. No touch of them moves the focus, so that the on-screen keyboard neither comes
 * nor goes.
 */
import { signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { realClock } from '../../src/core/clock.ts'
import { isReadonly, terminal } from '../app.ts'
import { BAR, type BarKey, bytesOf } from './bar-keys.ts'
import { paste } from './paste.ts'
import { Repeater } from './repeat.ts'
import { stopMoving } from './touch.ts'
import { typing } from './typed-keys.ts'

const repeater = new Repeater(realClock)
const coarse = matchMedia('(pointer: coarse)')
/** Whether fingers are the usual way here: a laptop with a touch screen has its keyboard. */
const isForFingers = signal(coarse.matches)
coarse.addEventListener('change', ({ matches }) => {
  isForFingers.value = matches
})

const CLICK_MS = 1_000 // a click that no finger made comes from a screen reader or a keyboard

function type(key: BarKey & { readonly kind: 'key' | 'arrow' }): void {
  const shown = terminal.value
  if (!shown) return repeater.release()
  shown.send(bytesOf(key, shown.applicationCursor, typing.modifiers))
  typing.used()
}

/** A finger or a mouse is down on the key. */
function press(key: BarKey): void {
  stopMoving()
  if (key.kind === 'arrow') repeater.press(() => type(key))
  else if (key.kind === 'key') type(key)
  else if (key.kind === 'hold') typing[key.modifier].tap(Date.now())
}

function Key({ bar }: { readonly bar: BarKey }) {
  const pressedAt = useRef(Number.NEGATIVE_INFINITY)
  const isDown = useSignal(false)
  const hold = bar.kind === 'hold' ? typing[bar.modifier].hold.value : 'off'
  const release = (): void => {
    repeater.release()
    isDown.value = false
  }
  const down = (event: PointerEvent): void => {
    event.preventDefault()
    if (event.button !== 0) return
    pressedAt.current = performance.now()
    isDown.value = true
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId)
    press(bar)
  }
  const up = (event: PointerEvent): void => {
    const wasDown = isDown.value
    release()
    // Reading the clipboard needs a whole tap, for the browser to see that a person wants it.
    if (bar.kind === 'paste' && wasDown && event.type === 'pointerup') void paste()
  }
  const click = (): void => {
    if (performance.now() - pressedAt.current < CLICK_MS) return
    if (bar.kind === 'paste') void paste()
    else press(bar)
    release()
  }
  return (
    <button
      type="button"
      tabIndex={-1}
      class={`bar-key ${bar.kind} ${hold} ${isDown.value ? 'down' : ''}`}
      aria-label={bar.name}
      aria-pressed={bar.kind === 'hold' ? hold !== 'off' : undefined}
      onPointerDown={down}
      onPointerUp={up}
      onPointerCancel={up}
      onLostPointerCapture={release}
      onContextMenu={(event) => event.preventDefault()}
      onClick={click}
    >
      <span aria-hidden="true">{bar.label}</span>
    </button>
  )
}

export function KeyBar() {
  const root = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = root.current
    // Beside `pointerdown`: each of these moves the focus in some browser.
    const stay = (event: Event): void => event.preventDefault()
    const kinds = ['mousedown', 'touchstart', 'touchend', 'selectstart', 'dragstart']
    for (const kind of kinds) element?.addEventListener(kind, stay, { passive: false })
    return () => {
      for (const kind of kinds) element?.removeEventListener(kind, stay)
      repeater.release()
      typing.release()
    }
  }, [isForFingers.value, isReadonly.value])
  if (isReadonly.value || !isForFingers.value) return null
  return (
    <div ref={root} class="key-bar" role="toolbar" aria-label="Keys">
      {BAR.map((row) => (
        <div class="key-row" key={row[0]?.label}>
          {row.map((bar) => (
            <Key key={bar.label} bar={bar} />
          ))}
        </div>
      ))}
    </div>
  )
}
