/** The one place that prints errors. */
import { CoopError, type ErrorCode, errorToJson } from '../../core/errors.ts'
import { paint, printable, printError, printJson } from './output.ts'

/** Prints an error and returns its exit code. With `json` it goes to stdout, in place of the output. */
export function report(error: unknown, json: boolean): number {
  const known = error instanceof CoopError
  if (json) printJson({ error: errorToJson(error) })
  else {
    const { code, message, hint } = errorToJson(error)
    printFailure(message, hint, code)
    if (!known && process.env.COOP_DEBUG && error instanceof Error)
      printError(`${(error.stack ?? '').split('\n').map(printable).join('\n')}\n`)
  }
  return known ? error.exitCode : 1
}

/** Prints a sentence with its code, about which `coop help CODE` says more, and the hint. */
export function printFailure(message: string, hint?: string, code?: ErrorCode): void {
  const name = code ? ` ${paint('dim', `[${code}]`, 2)}` : ''
  printError(`${paint('red', 'coop:', 2)} ${printable(message)}${name}\n`)
  if (hint) printError(`${paint('dim', 'hint:', 2)} ${printable(hint)}\n`)
}
