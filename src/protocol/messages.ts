/**
 * Control messages between clients and the daemon: one discriminated union per direction, validated here and
 * nowhere else. What a web page or tunnel may send is decided on top of this, never below.
 */
import { CoopError } from '../core/errors.ts'
import { type CopyCall, copyCall } from './copy-messages.ts'
import {
  fields,
  flag,
  integer,
  Malformed,
  offset,
  optional,
  present,
  pty,
  record,
  type Size,
  size,
  strings,
} from './fields.ts'
import { type PublishCall, publishCall } from './publish-messages.ts'
import { type SnapshotCall, snapshotCall } from './snapshot-messages.ts'
import { TooLong, text } from './text.ts'

export type { Size }

export type Environment = Readonly<Record<string, string>>

/** How a box is to be made, as flags and the caller's environment say. */
export interface BoxOptions {
  readonly workspace: string
  readonly name?: string
  readonly image?: string
  readonly agent?: string
  readonly network?: string
  readonly env?: Readonly<Record<string, string>>
  /** The caller's environment: for `"$NAME"` in coop.toml, its locale and its PATH. */
  readonly environment: Readonly<Record<string, string>>
}

/** What a command is run with. */
export interface CommandOptions {
  readonly command: readonly string[]
  /** Unguessable: who names it later, to this daemon or the next, gets the output and the exit code. */
  readonly token: string
  /** A terminal of this size; else descriptors that were sent ahead under this token. */
  readonly terminal?: Size & { readonly term: string }
  readonly descriptors?: string
  /** In the box. */
  readonly cwd?: string
  /** The caller's own folder: where the command starts without `cwd`, if that is in the workspace. */
  readonly callerCwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export type Call =
  | { readonly do: 'box.create'; readonly box: BoxOptions }
  /** `unknown`: the caller can deal with a box that this release cannot read; else such a one is an error. */
  | { readonly do: 'box.find'; readonly box?: string; readonly cwd: string; readonly unknown?: boolean }
  | { readonly do: 'box.list' }
  | { readonly do: 'box.status'; readonly name: string }
  | { readonly do: 'box.kill'; readonly name: string; readonly force: boolean }
  | { readonly do: 'box.stop'; readonly name: string; readonly force: boolean }
  | { readonly do: 'box.start'; readonly name: string; readonly environment: Environment }
  | {
      readonly do: 'pty.restart'
      readonly name: string
      readonly pty: number
      readonly environment: Environment
    }
  | { readonly do: 'pty.kill'; readonly name: string; readonly pty: number }
  | { readonly do: 'plan'; readonly box: BoxOptions }
  | { readonly do: 'run'; readonly box: BoxOptions; readonly command: CommandOptions }
  | { readonly do: 'exec'; readonly name: string; readonly command: CommandOptions }
  | {
      readonly do: 'shell.open'
      readonly name: string
      readonly command: readonly string[]
      readonly fresh: boolean
      readonly term: string
      readonly size: Size
      readonly terminal?: string
    }
  | {
      readonly do: 'attach'
      readonly name: string
      readonly pty: number
      readonly readonly: boolean
      readonly size?: Size
      /** The client's own terminal, for listings. */
      readonly terminal?: string
      /** What the client has already of the terminal's output; else it gets the screen. */
      readonly from?: number
      /** Of a client that comes back: what it knows of its input to have reached the terminal. */
      readonly typed?: number
    }
  /** The bytes of a terminal as they came, from an offset or the oldest on; then what comes next, if asked. */
  | {
      readonly do: 'logs'
      readonly name: string
      readonly pty: number
      readonly follow: boolean
      readonly from?: number
    }
  /**
   * Have the descriptors of the terminal that this connection shows, to type into it directly. A socket for them was
   * sent ahead under this token.
   */
  | { readonly do: 'pty.direct'; readonly descriptors: string }
  /** Come back to a command of `run` or `exec` whose daemon is gone. */
  | {
      readonly do: 'rejoin'
      readonly token: string
      readonly from?: number
      readonly typed?: number
      readonly size?: Size
    }
  | { readonly do: 'system.status' }
  | { readonly do: 'system.shutdown' }
  | CopyCall
  | SnapshotCall
  | PublishCall

export type ClientMessage =
  /** `dataDir`: where the client takes boxes to be. */
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string; readonly dataDir?: string }
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  /** `visible`: false for a window that nobody sees now, such as a browser's tab in the background. */
  | { readonly type: 'resize'; readonly size: Size; readonly visible: boolean }
  | { readonly type: 'signal'; readonly signal: number }
  /** A newer coop asks this daemon to make room for its own. Boxes and clients move on to that. */
  | { readonly type: 'retire' }

/** A call that cannot be taken, and what its client is to be told. */
export interface RefusedCall {
  readonly type: 'refused'
  readonly id: number
  readonly error: CoopError
}

function boxOptions(value: unknown): BoxOptions {
  const box = fields(value)
  return present({
    workspace: text(box.workspace),
    name: optional(box.name, text) as string,
    image: optional(box.image, text) as string,
    agent: optional(box.agent, text) as string,
    network: optional(box.network, text) as string,
    env: optional(box.env, record) as Record<string, string>,
    environment: record(box.environment),
  })
}

function commandOptions(value: unknown): CommandOptions {
  const command = fields(value)
  const terminal = optional(command.terminal, (item) => ({ ...size(item), term: text(fields(item).term) }))
  return present({
    command: strings(command.command),
    token: text(command.token, 64),
    terminal: terminal as Size & { term: string },
    descriptors: optional(command.descriptors, text) as string,
    cwd: optional(command.cwd, text) as string,
    callerCwd: optional(command.callerCwd, text) as string,
    env: optional(command.env, record) as Record<string, string>,
  })
}

function call(value: unknown): Call {
  const it = fields(value)
  switch (it.do) {
    case 'box.create':
    case 'plan':
      return { do: it.do, box: boxOptions(it.box) }
    case 'box.find':
      return present({
        do: it.do,
        box: optional(it.box, text) as string,
        cwd: text(it.cwd),
        ...(it.unknown === undefined ? {} : { unknown: flag(it.unknown) }),
      })
    case 'box.list':
    case 'system.status':
    case 'system.shutdown':
      return { do: it.do }
    case 'box.status':
      return { do: it.do, name: text(it.name) }
    case 'box.start':
      return { do: it.do, name: text(it.name), environment: record(it.environment) }
    case 'pty.restart':
      return { do: it.do, name: text(it.name), pty: pty(it.pty), environment: record(it.environment) }
    case 'pty.direct':
      return { do: it.do, descriptors: text(it.descriptors, 64) }
    case 'pty.kill':
      return { do: it.do, name: text(it.name), pty: pty(it.pty) }
    case 'logs':
      return present({
        do: it.do,
        name: text(it.name),
        pty: pty(it.pty),
        follow: flag(it.follow),
        from: optional(it.from, offset) as number,
      })
    case 'rejoin':
      return present({
        do: it.do,
        token: text(it.token, 64),
        from: optional(it.from, offset) as number,
        typed: optional(it.typed, offset) as number,
        size: optional(it.size, size) as Size,
      })
    case 'box.kill':
    case 'box.stop':
      return { do: it.do, name: text(it.name), force: flag(it.force) }
    case 'run':
      return { do: it.do, box: boxOptions(it.box), command: commandOptions(it.command) }
    case 'exec':
      return { do: it.do, name: text(it.name), command: commandOptions(it.command) }
    case 'shell.open':
      return present({
        do: it.do,
        name: text(it.name),
        command: strings(it.command),
        fresh: flag(it.fresh),
        term: text(it.term),
        size: size(it.size),
        terminal: optional(it.terminal, text) as string,
      })
    case 'attach':
      return present({
        do: it.do,
        name: text(it.name),
        pty: pty(it.pty),
        readonly: flag(it.readonly),
        size: optional(it.size, size) as Size,
        typed: optional(it.typed, offset) as number,
        terminal: optional(it.terminal, text) as string,
        from: optional(it.from, offset) as number,
      })
    default: {
      const other = copyCall(it) ?? snapshotCall(it) ?? publishCall(it)
      if (other) return other
      throw new Malformed('a known call')
    }
  }
}

function readCall(id: number, value: unknown): ClientMessage | RefusedCall {
  try {
    return { type: 'call', id, call: call(value) }
  } catch (error) {
    return { type: 'refused', id, error: refused(error) }
  }
}

const SHOWN = 40 // characters of a value that is too long

function refused(error: unknown): CoopError {
  if (error instanceof TooLong) {
    const start = JSON.stringify(`${error.value.slice(0, SHOWN)}…`)
    const sentence = `${start} is too long: ${error.value.length} characters, and there is room for ${error.max}`
    return new CoopError('E_USAGE', sentence, { hint: 'give a shorter one' })
  }
  return new CoopError('E_DAEMON', 'the coop daemon does not understand what it was asked', {
    hint: 'start a new one, boxes go on: coop system shutdown',
  })
}

/** A message of a client; undefined when it is none. */
export function parseClientMessage(payload: Uint8Array): ClientMessage | RefusedCall | undefined {
  try {
    const it = fields(JSON.parse(Buffer.from(payload).toString('utf8')))
    switch (it.type) {
      case 'hello':
        return present({
          type: 'hello' as const,
          protocol: integer(it.protocol, 0, 1 << 30),
          version: text(it.version),
          dataDir: optional(it.dataDir, text) as string,
        })
      case 'call':
        return readCall(integer(it.id, 0, 2 ** 31), it.call)
      case 'resize':
        return { type: 'resize', size: size(it.size), visible: it.visible !== false }
      case 'signal':
        return { type: 'signal', signal: integer(it.signal, 1, 64) }
      case 'retire':
        return { type: 'retire' }
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}
