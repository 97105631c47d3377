/** The command line with `coop run`, in one chunk. */
import { main as anyMain } from './main.ts'
import run from './run.ts'

export const main = (words: readonly string[]): Promise<number> => anyMain(words, { run })
