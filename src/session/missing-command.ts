/** What a person may have meant by a command that a box does not have. */
import { ADAPTERS, isAgentName } from '../agents/adapters.ts'

/** Characters of a whole command line, or of a shell's syntax, in what should be the name of a program. */
const LINE = /[\s|&;<>$*]/

/** Returns the hint for a missing command; `isBox` says whether a box has that name. */
export function hintForMissing(name: string, image: string, isBox: boolean): string | undefined {
  if (isBox) return `${name} is a box; to run a command in it: coop exec ${name} -- CMD…`
  if (LINE.test(name)) return "give each word apart, or the whole line to a shell: sh -c 'LINE'"
  if (!isAgentName(name)) return undefined
  const { install } = ADAPTERS[name]
  return image === 'host'
    ? `install it: ${install}`
    : `install it in the image: [sandbox] setup = ["${install}"]`
}
