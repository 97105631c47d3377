/** Texts in control messages: bounded, and never with a NUL, which no system call could take. */

const MAX_TEXT = 4096 // characters; a path has 4095 bytes at most (PATH_MAX)

/** What a person may have meant, but nothing has room for. */
export class TooLong extends Error {
  readonly value: string
  readonly max: number

  constructor(value: string, max: number) {
    super(`a text of ${value.length} characters`)
    this.value = value
    this.max = max
  }
}

/** Throws TooLong, and TypeError for what is no text. */
export function text(value: unknown, max = MAX_TEXT): string {
  if (typeof value !== 'string' || value.includes('\0')) throw new TypeError('not a text')
  if (value.length > max) throw new TooLong(value, max)
  return value
}
