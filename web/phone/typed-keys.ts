/** The modifiers of the key bar, and their effect on what is typed into terminals. */
import { Typing } from './typing.ts'

export const typing = new Typing()

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/** Input on its way to a terminal. */
export function typedBytes(bytes: Uint8Array): Uint8Array {
  if (!typing.isActive) return bytes
  try {
    return encoder.encode(typing.typed(decoder.decode(bytes)))
  } catch {
    return bytes // a report of the pointer in the oldest encoding is no text
  }
}

/** Watches a keyboard that composes words in a terminal. Returns the function that ends that. */
export function watchComposing(element: HTMLElement, send: (text: string) => void): () => void {
  const composing = (event: CompositionEvent): void => {
    const typed = typing.composing(event.data)
    if (typed !== undefined) send(typed)
  }
  element.addEventListener('compositionupdate', composing)
  return () => element.removeEventListener('compositionupdate', composing)
}
