/** The advice about a command that this machine has in the user's home, which boxes do not see. */
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { toolOf } from '../../plan/tools.ts'
import { isWithin } from '../../sandbox/sensitive.ts'

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** As a shell takes it; coop expands a quoted `~` itself. */
const quoted = (word: string): string =>
  /^[\w./~:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** Undefined if PATH finds no such command below the home. */
export function inHomeHint(
  command: string,
  path = process.env.PATH ?? '',
  home = homedir(),
): string | undefined {
  if (command.includes('/')) return undefined
  const folder = path
    .split(':')
    .find((entry) => isWithin(entry, home) && entry !== home && isProgram(join(entry, command)))
  if (folder === undefined) return undefined
  const there = join(folder, command)
  const shown = `~${there.slice(home.length)}`
  const tool = toolOf(there, home)
  const has = `your home has it, ${shown}, and boxes do not see your home`
  if (tool !== undefined)
    return `${has}; add "${tool}" to tools in [sandbox], and use the host image, which is the one with your tools`
  if (there.includes(':')) return has // a mount could not be written
  const mount = `${shown}:~/.local/bin/${command}:ro`
  return `${has}; give it to the box: coop run -m ${quoted(mount)} ${quoted(command)} …, or always: mounts = ["${mount}"] in [sandbox]`
}
