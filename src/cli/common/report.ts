/** The one place that prints errors. */
import { CoopError, errorToJson } from '../../core/errors.ts'
import { paint, printable, printError, printJson } from './output.ts'

/** Prints an error and returns its exit code. With `json` it goes to stdout, in place of the output. */
export function report(error: unknown, json: boolean): number {
  const known = error instanceof CoopError
  if (json) printJson({ error: errorToJson(error) })
  else {
    const { message } = errorToJson(error)
    printError(`${paint('red', 'coop:', 2)} ${printable(message)}\n`)
    if (known && error.hint) printError(`${paint('dim', 'hint:', 2)} ${printable(error.hint)}\n`)
    if (!known && process.env.COOP_DEBUG && error instanceof Error)
      printError(`${(error.stack ?? '').split('\n').map(printable).join('\n')}\n`)
  }
  return known ? error.exitCode : 1
}
