/** Why a value of a message cannot be taken. */

/** The value is not what its shape says. */
export class Malformed extends Error {
  constructor(expected: string) {
    super(`expected ${expected}`)
  }
}

/** A text that nothing has room for, though a person may have meant it. */
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
