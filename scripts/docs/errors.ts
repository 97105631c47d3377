/** Prints docs/errors.md from the error codes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_DOCS } from '../../src/core/error-docs.ts'
import { type ErrorCode, EXIT } from '../../src/core/errors.ts'
import { EXIT_CODES, RUN_EXIT_CODES } from '../../src/core/exit-codes.ts'
import { GENERATED } from './generated.ts'
import { headingsOf } from './links.ts'

const table = (pairs: readonly (readonly [string, string])[]): string[] => [
  '| code | meaning |',
  '|---|---|',
  ...pairs.map(([code, meaning]) => `| ${code} | ${meaning} |`),
]

/** The headings of the troubleshooting page by their anchors; a wrong anchor gives a dead link, which a test finds. */
const titles = headingsOf(readFileSync(join(import.meta.dir, '../../docs/troubleshooting.md'), 'utf8'))

export function errorsPage(): string {
  const sections = (Object.keys(EXIT) as ErrorCode[]).toSorted().flatMap((code) => {
    const { means, fix, see = [] } = ERROR_DOCS[code]
    const links = see.map((anchor) => `[${titles.get(anchor)}](troubleshooting.md#${anchor})`)
    const more = links.length ? ['', `**More:** ${links.join('; ')}`] : []
    return [`## ${code}`, '', `${means} Exit code ${EXIT[code]}.`, '', `**What to do.** ${fix}`, ...more, '']
  })
  const lines = [
    '# Errors and exit codes',
    '',
    GENERATED,
    '',
    'Every error has a stable code, a sentence, and a hint if something can be done. `coop help CODE` prints the section of a code:',
    '',
    '```console',
    '$ coop status nope',
    'coop: there is no box named nope [E_NO_BOX]',
    'hint: coop ls',
    '$ coop help E_NO_BOX',
    '```',
    '',
    'With `--json`, errors are JSON on the standard output: `{"error": {"code": …, "message": …, "hint": …}}`.',
    '',
    '## Exit codes',
    '',
    ...table(Object.entries(EXIT_CODES)),
    '',
    '`coop run` and `coop exec` pass on the exit code of their command. Every failure of coop itself is 125 there, except for',
    'a command line that cannot be read (2; also when a folder has several boxes and none is named) and, for `coop exec`, a',
    'box that is not there (3). Values that coop can read and not use, such as the name of an image that is nowhere, are 125;',
    '`coop run --plan` runs no command, and its errors have the codes above. In a folder that was deleted the runtime ends with',
    '1 before coop begins. A command that cannot be started has these codes instead of an error code:',
    '',
    ...table(Object.entries(RUN_EXIT_CODES)),
    '',
    ...sections,
  ]
  return `${lines.join('\n').trimEnd()}\n`
}
