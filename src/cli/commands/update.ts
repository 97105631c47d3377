/** `coop update`: installs a newer release of coop, or goes back to the one before. */
import { askRunning } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import { readVersion } from '../../release/versions.ts'
import { abandonFiles } from '../../update/new-file.ts'
import { type Change, type Check, check, isDowngrade, rollBack, update } from '../../update/update.ts'
import { command, JSON_OPTION } from '../common/declare.ts'
import { ImageProgress } from '../common/image-progress.ts'
import { Messages } from '../common/messages.ts'
import { filled, homePath, outputWidth, paint, print, printable, printJson } from '../common/output.ts'

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

export default command({
  meta: {
    summary: 'update coop, or go back to the release before',
    description:
      'Install the newest release of coop, or VERSION, after checking its signature. Boxes and attached terminals go on. The replaced program is kept; --rollback puts it back without a network.',
    examples: [
      'coop update',
      'coop update --check    look only',
      'coop update 0.2.0      install this release, also if it is older',
      'coop update --rollback',
    ],
    group: 'System',
  },
  args: {
    version: {
      type: 'positional',
      description: 'The release to install (default: the newest).',
    },
    check: { type: 'boolean', description: 'only say whether there is a newer release' },
    rollback: { type: 'boolean', description: 'put back the program that the last update replaced' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    if ((args.check || args.rollback) && args.version !== undefined)
      throw new CoopError('E_USAGE', `--${args.check ? 'check' : 'rollback'} takes no version`, {
        hint: 'coop update VERSION installs that release',
      })
    if (args.check && args.rollback)
      throw new CoopError('E_USAGE', '--check and --rollback exclude each other', {
        hint: 'coop update --help',
      })
    for (const [name, number] of Object.entries(SIGNALS))
      process.on(name, () => {
        abandonFiles()
        process.exit(128 + number)
      })
    if (args.check) {
      const found = await check(paths)
      if (args.json) printJson(found)
      else {
        print(checkText(found))
      }
      return 0
    }
    const messages = new Messages(args.json)
    const change = args.rollback
      ? await rollBack(paths)
      : await update(
          paths,
          args.version === undefined ? undefined : readVersion(args.version),
          shown(messages),
        )
    if (args.json) printJson(change)
    else print(changeText(change))
    for (const warning of unreadable(change)) messages.warn(warning)
    return 0
  },
})

/** A bar on a terminal, lines elsewhere, as for images. */
function shown(messages: Messages) {
  const bar = new ImageProgress(messages)
  return (version: string) => {
    const id = `coop ${version}`
    return (phase: 'downloading' | 'unpacking' | 'done', done: number, size: number): void => {
      if (phase === 'downloading' && done === 0) bar.event({ event: 'layers', layers: [{ id, size }] })
      bar.event({ event: 'layer', id, phase, done })
      if (phase === 'done') bar.end()
    }
  }
}

function checkText({ installed, newest, isNewer, notes }: Check): string {
  if (isNewer)
    return `coop ${newest} is the newest release; this is ${installed}\n${notesText(notes)}install it: coop update\n`
  if (newest === installed) return `coop ${installed} is installed, which is the newest release\n`
  return `coop ${installed} is installed; the newest release is ${newest}, which is older\n`
}

function changeText(change: Change): string {
  const { before, version, changed, program, previous, daemon, notes } = change
  if (!changed) return `coop ${version} is installed already\n`
  const where = printable(`is installed in ${homePath(program)}${before && ` (was ${before})`}`)
  const lines = [`${paint('bold', `coop ${version}`)} ${where}`]
  if (daemon === version) lines.push(`the daemon is coop ${version}, too; boxes kept running`)
  else if (daemon !== undefined)
    lines.push(printable(`the daemon is that of another coop, ${daemon}; boxes kept running`))
  if (previous !== undefined)
    lines.push(`to ${isDowngrade(change) ? 'undo this' : 'go back'}: coop update --rollback`)
  return `${notesText(notes)}${lines.map((line) => `${line}\n`).join('')}`
}

const notesText = (notes: readonly string[]): string =>
  notes
    .flatMap((note) => filled(printable(note), outputWidth(), '  ', '    ').map((line) => `${line}\n`))
    .join('')

/** Boxes that an older release cannot read: it has left them alone. */
function unreadable(change: Change): readonly string[] {
  if (!change.changed || !isDowngrade(change)) return []
  const boxes = askRunning(userPaths(), 'box.list', {})?.value ?? []
  return boxes
    .filter(({ state }) => state === 'unknown')
    .map(
      ({ name }) =>
        `coop ${change.version} cannot read the box ${name}: coop ${change.before} has written it. It is left alone; to use it, go back: coop update --rollback`,
    )
}
