/** The command line with `coop ls` in one chunk, as scripts and prompts call it all the time. */
import ls from './commands/ls.ts'
import { main as anyMain } from './main.ts'

export const main = (words: readonly string[]): Promise<number> => anyMain(words, { ls })
