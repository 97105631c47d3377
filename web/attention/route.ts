/** The answer page's place in the address: `#answer=BOX`, to which notifications lead. */
import { effect, signal } from '@preact/signals'
import { show } from '../app.ts'

/** The box whose agent is answered now. */
export const answering = signal<string | undefined>(undefined)

/** Pure. */
export function answerIn(hash: string): string | undefined {
  return new URLSearchParams(hash.slice(1)).get('answer') || undefined
}

/** Opens the answer to a box's agent, over its terminal. */
export function answer(box: string): void {
  show(box)
  answering.value = box
}

export function closeAnswer(): void {
  answering.value = undefined
}

export function keepRoute(): void {
  const take = (): void => {
    const box = answerIn(location.hash)
    if (box === undefined) closeAnswer()
    else if (box !== answering.peek()) answer(box)
  }
  take()
  window.addEventListener('hashchange', take)
  effect(() => {
    const box = answering.value
    if (answerIn(location.hash) === box) return
    const parts = new URLSearchParams(location.hash.slice(1))
    if (box === undefined) parts.delete('answer')
    else parts.set('answer', box)
    history.replaceState(history.state, '', `#${parts}`)
  })
}
