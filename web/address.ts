/** The box and terminal in the address (`#box=NAME&pty=N`): reloads and links of notifications come back to them. */
import { batch, effect } from '@preact/signals'
import { boxName, ptyId } from './app.ts'

const LAST = 'coop.box'

/** Takes the choice from the address, or from the last visit. */
function take(): void {
  const parts = new URLSearchParams(location.hash.slice(1))
  const name = parts.get('box') ?? localStorage.getItem(LAST)
  const pty = Number(parts.get('pty'))
  if (name === null) return
  batch(() => {
    boxName.value = name
    ptyId.value = Number.isInteger(pty) && pty >= 0 ? pty : 0
  })
}

/** Keeps address and choice alike. */
export function keepAddress(): void {
  take()
  window.addEventListener('hashchange', take)
  effect(() => {
    const name = boxName.value
    const pty = ptyId.value
    if (name === undefined) return
    const parts = new URLSearchParams(location.hash.slice(1))
    parts.set('box', name)
    if (pty) parts.set('pty', String(pty))
    else parts.delete('pty')
    const hash = `#${parts}`
    if (hash !== location.hash) history.replaceState(history.state, '', hash)
    localStorage.setItem(LAST, name)
  })
}
