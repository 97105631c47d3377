/** Helpers for the tests of this folder. */
import { CoopError } from '../core/errors.ts'

/** The CoopError that `run` raises; anything else fails the test. */
export function errorOf(run: () => unknown): CoopError {
  try {
    run()
  } catch (error) {
    if (error instanceof CoopError) return error
    throw error
  }
  throw new Error('nothing was raised')
}

/** The names on `Object`, `Object.prototype` and its functions; tests compare them before and after. */
export function inherited(): string {
  const names = Object.getOwnPropertyNames(Object.prototype)
  const values = names.map((name): unknown => Reflect.get(Object.prototype, name))
  const inner = [Object, ...values].map((each) =>
    each instanceof Object ? Object.getOwnPropertyNames(each) : [],
  )
  return [names, ...inner].map((each) => each.join()).join(';')
}
