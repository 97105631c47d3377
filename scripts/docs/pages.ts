/** Every page that is printed from the code, by its path in the repository. */
import { commandsPage, manPages } from './commands.ts'
import { configurationPage } from './configuration.ts'
import { errorsPage } from './errors.ts'
import { protocolPage, protocolSchema } from './protocol.ts'
import { questionsPage } from './questions.ts'

export async function pages(): Promise<ReadonlyMap<string, string>> {
  const man = [...(await manPages())].map(([name, text]) => [`docs/man/${name}`, text] as const)
  return new Map([
    ['docs/commands.md', await commandsPage()],
    ['docs/configuration.md', configurationPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/protocol.md', protocolPage()],
    ['docs/protocol.schema.json', protocolSchema()],
    ['docs/terminal-questions.md', questionsPage()],
    ...man,
  ])
}
