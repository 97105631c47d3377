/** Errors for values of messages that cannot be accepted. */

/** The value does not match its shape. */
export class Malformed extends Error {
  constructor(expected: string) {
    super(`expected ${expected}`)
  }
}

/** A text that is too long, though a person may have meant it. */
export class TooLong extends Error {
  readonly value: string
  /** Characters. */
  readonly max: number

  constructor(value: string, max: number) {
    super(`a text of ${value.length} characters`)
    this.value = value
    this.max = max
  }
}
