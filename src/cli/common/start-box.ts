/** `coop`: attaches to this folder's box, and makes the box first when there is none. */
import { realpathSync } from 'node:fs'
import type { connect } from '../../client/daemon.ts'
import { CoopError } from '../../core/errors.ts'
import type { BoxInfo, CreatedBox } from '../../protocol/calls/boxes.ts'
import type { BoxOptions } from '../../protocol/shapes/values.ts'
import { BOX_OPTIONS, TRUST_OPTION } from './box-options.ts'
import type { Args, Declared } from './declare.ts'
import { expectSame, stateWords } from './existing-box.ts'
import { isTerminal, paint, print, printable, printError, printWarnings } from './output.ts'
import { trusting } from './trusting.ts'

type Created = BoxInfo & Partial<CreatedBox>

/** Options of every command that starts an agent's box. */
export const START_OPTIONS = {
  ...BOX_OPTIONS,
  ...TRUST_OPTION,
  build: { type: 'boolean', alias: 'b', description: 'build the image first' },
  recreate: {
    type: 'boolean',
    description: 'if the box exists: stop it, and start it with these options; its files stay',
  },
  verbose: { type: 'boolean', alias: 'v', description: 'print more details' },
  quiet: { type: 'boolean', alias: 'q', description: 'print errors only' },
} as const satisfies Declared

type StartArgs = Args<typeof START_OPTIONS>

export async function startDetached(
  session: Caller,
  boxes: readonly BoxInfo[],
  options: BoxOptions,
  args: StartArgs,
): Promise<number> {
  const { box, existed } = await startBox(session, boxes, options, args)
  const state = existed ? stateWords(box) : `${printable(box.agent)} is running`
  if (args.quiet) return 0
  printWarnings(box.displaced?.notes)
  const what = `${state} in the box ${paint('bold', box.name)}`
  print(
    `${what} (${printable(box.workspace)})\nattach:  coop attach ${box.name}\nend it:  coop kill ${box.name}\n`,
  )
  return 0
}

/**
 * Makes the box, or finds it among `boxes`, and prints warnings. With `greets`, a new box's terminal begins with some
 * lines about it. An agent that its user has ended starts again.
 */
export async function startBox(
  session: Caller,
  boxes: readonly BoxInfo[],
  options: BoxOptions,
  args: StartArgs,
  { greets = false } = {},
): Promise<{ box: Created; existed: boolean }> {
  const existing = findBox(boxes, options)
  if (existing && !args.recreate) await expectSame(session, existing, options, args.build)
  if (args.build) await build(options, args.quiet, args.trust)
  const greet = greets && !args.quiet
  const box = await startedBox(
    session,
    existing,
    { box: options, greet, recreate: args.recreate },
    args.trust,
  )
  if (!args.quiet) {
    if (existing || !greet) printWarnings(box.warnings) // a greeting contains them
    const above = existing || options.name || args.workspace ? undefined : boxAbove(boxes, box)
    if (above) printWarnings([nestedText(above)])
    if (args.verbose)
      printError(
        `box ${box.name}: ${printable(box.agent)} in ${printable(box.workspace)}, image ${printable(box.image)}\n`,
      )
  }
  return { box, existed: existing !== undefined }
}

/** Returns the box of the nearest folder above: until now, other commands used that box here. */
function boxAbove(boxes: readonly BoxInfo[], { workspace }: BoxInfo): BoxInfo | undefined {
  return boxes
    .filter((box) => workspace.startsWith(box.workspace === '/' ? '/' : `${box.workspace}/`))
    .toSorted((a, b) => b.workspace.length - a.workspace.length)[0]
}

function nestedText({ name, workspace }: BoxInfo): string {
  return `this is a new box for this folder only; the box ${name} has all of ${workspace}: coop attach ${name}`
}

/** Makes the box when there is none, and starts it when it is stopped. */
async function startedBox(
  session: Caller,
  existing: Created | undefined,
  { recreate, ...request }: { readonly box: BoxOptions; readonly greet: boolean; readonly recreate: boolean },
  trust: boolean,
): Promise<Created> {
  const { box: options } = request
  const create = (): Promise<Created> => trusting(trust, () => session.call('box.create', request))
  if (!existing) return create().catch((error) => buildWhenAsked(error, options, trust).then(create))
  // An unknown box cannot be started either; the daemon's error says why.
  const { environment, attaches, image, agent, network, env, mounts } = options
  if (existing.state === 'ended' && !recreate) {
    const { warnings } = await trusting(trust, () =>
      session.call('pty.restart', { box: existing.name, cwd: '/', pty: 0, environment }),
    )
    return { ...existing, warnings }
  }
  if (!recreate && existing.state !== 'stopped' && existing.state !== 'unknown') return existing
  const flags = recreate ? { flags: { image, agent, network, env, mounts } } : {}
  const { warnings } = await trusting(trust, () =>
    session.call('box.start', { box: existing.name, cwd: '/', environment, attaches, ...flags }),
  )
  // The start reads the settings again: another agent may run now.
  const now = await session.call('box.find', { box: existing.name, cwd: '/' })
  return { ...now, state: 'stopped', warnings } // as it was a moment before
}

async function build(options: BoxOptions, quiet: boolean, trust: boolean): Promise<void> {
  const { buildImage } = await import('./build-image.ts')
  await buildImage(options, { quiet, noCache: false, pull: false, trust })
}

/** Offers to build an image that is not built, when a person can be asked; raises every other error again. */
async function buildWhenAsked(error: unknown, options: BoxOptions, trust: boolean): Promise<void> {
  if (!(error instanceof CoopError && error.code === 'E_NOT_BUILT')) throw error
  if (!isTerminal(0) || !isTerminal(2)) throw error
  const { isYes } = await import('./ask-person.ts')
  if (!isYes(`${printable(error.message)}. Build it now?`)) throw error
  await build(options, false, trust)
}

type Caller = Awaited<ReturnType<typeof connect>>

/** Finds the box of that name or workspace. */
function findBox(boxes: readonly BoxInfo[], { workspace, name }: BoxOptions): Created | undefined {
  let real = workspace
  try {
    real = realpathSync(workspace)
  } catch {
    // The daemon reports what is wrong with the workspace.
  }
  if (name === undefined) return onlyBox(boxes.filter((box) => box.workspace === real))
  const named = boxes.find((box) => box.name === name)
  if (named && named.workspace !== real && named.state !== 'unknown') {
    throw new CoopError('E_BOX_EXISTS', `the box ${name} is for another folder: ${named.workspace}`, {
      hint: `attach to it: coop attach ${name}; or choose another name`,
    })
  }
  return named
}

function onlyBox([box, ...others]: readonly Created[]): Created | undefined {
  if (!box || !others.length) return box
  const names = [box, ...others].map((one) => one.name)
  throw new CoopError('E_USAGE', `this folder has several boxes: ${names.join(', ')}`, {
    hint: `name one: coop -n ${box.name}; or make another one: coop -n NAME`,
  })
}
