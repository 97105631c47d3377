/** The command line with `coop run` in one chunk. */

import run from './commands/run.ts'
import { main as anyMain } from './main.ts'

export const main = (words: readonly string[]): Promise<number> => anyMain(words, { run })
