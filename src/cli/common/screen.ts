/** Prints what is on a box's terminal, for `coop screen` and `coop shell screen`. */
import { writeAll } from '../../../ffi/pipes.ts'
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { Target } from '../../protocol/shapes/values.ts'
import type { Args, Declared } from './declare.ts'
import { JSON_OPTION } from './declare.ts'
import { paint, print, printError, printJson } from './output.ts'

export const SCREEN_OPTIONS = {
  ansi: { type: 'boolean', description: 'keep colours, as escape sequences' },
  ...JSON_OPTION,
} as const satisfies Declared

export async function showScreen(
  args: Args<typeof SCREEN_OPTIONS>,
  source: Target & { readonly pty: number },
): Promise<number> {
  const screen = await ask(userPaths(), 'screen', { ...source, styled: args.ansi })
  if (args.json) {
    printJson(screen)
    return 0
  }
  const { lines, cut } = screen
  const end = lines.findLastIndex((line) => line !== '') + 1
  const text = lines.slice(0, end).map((line) => `${line}\n`)
  // The daemon has removed all other sequences and controls.
  if (args.ansi) writeAll(1, new TextEncoder().encode(text.join('')))
  else print(text.join(''))
  if (cut) printError(`${paint('yellow', 'coop:', 2)} the screen is too long; its lowest rows are missing\n`)
  return 0
}
