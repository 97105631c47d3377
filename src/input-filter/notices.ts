/** What a person is told whose input is held back. */
import type { Reason } from './input-filter.ts'

export function noticeOf(reason: Reason): string {
  switch (reason.kind) {
    case 'key':
      return `${reason.key} is held back in the browser, because it can end the agent`
    case 'repeated':
      return `a second Ctrl+C within ${reason.milliseconds} ms is held back in the browser, because it can end the agent`
    case 'line':
      return `Enter is held back in the browser, because ${reason.line} ends the agent; Ctrl+U empties the line`
    case 'sequence':
      return `your settings hold back ${shown(reason.sequence)} in the browser (input_filter.block_sequences)`
  }
}

/** Escaped, because a project may have chosen it, and for people, because it is often invisible. */
function shown(sequence: string): string {
  const characters = [...sequence].map((character) =>
    /^[ -!#-[\]-~]$/.test(character)
      ? character
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
  return `"${characters.join('')}"`
}
