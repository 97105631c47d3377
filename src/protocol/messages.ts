/**
 * Control messages between clients and the daemon: one discriminated union per direction, validated here and
 * nowhere else. What a web page or tunnel may send is decided on top of this, never below.
 */
import type { ErrorJson } from '../errors.ts'

/** Raised with every change that an older side would misunderstand. */
export const PROTOCOL = 1

export interface Size {
  readonly columns: number
  readonly rows: number
}

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
  /** A terminal of this size; else descriptors that were sent ahead under this token. */
  readonly terminal?: Size & { readonly term: string }
  readonly descriptors?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export type Call =
  | { readonly do: 'box.create'; readonly box: BoxOptions }
  | { readonly do: 'box.find'; readonly box?: string; readonly cwd: string }
  | { readonly do: 'box.list' }
  | { readonly do: 'box.status'; readonly name: string }
  | { readonly do: 'box.kill'; readonly name: string; readonly force: boolean }
  | { readonly do: 'box.restart'; readonly name: string }
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
    }
  | {
      readonly do: 'attach'
      readonly name: string
      readonly pty: number
      readonly readonly: boolean
      readonly size?: Size
    }
  | { readonly do: 'system.status' }
  | { readonly do: 'system.shutdown' }

export type ClientMessage =
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string }
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'signal'; readonly signal: number }

export type ServerMessage =
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string; readonly pid: number }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorJson }
  /** The command of this connection has ended, or the box under an attached terminal. */
  | {
      readonly type: 'exit'
      readonly code: number
      readonly error?: ErrorJson
      readonly ended?: 'box' | 'command'
    }
  | { readonly type: 'notice'; readonly text: string }

export interface PtyInfo {
  readonly id: number
  readonly command: readonly string[]
  readonly state: string
  readonly exitCode?: number
  readonly clients: number
  readonly size: Size
}

export interface BoxInfo {
  readonly name: string
  readonly workspace: string
  readonly image: string
  readonly agent: string
  readonly state: string
  readonly created: number
  readonly ptys: readonly PtyInfo[]
  readonly clients: number
  readonly detachKey: string
  /** Resident bytes of the box's processes; undefined where it cannot be told. */
  readonly memory?: number
}

type Fields = Readonly<Record<string, unknown>>

class Malformed extends Error {}

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('an object')
  return value as Fields
}

function text(value: unknown, max = 4096): string {
  if (typeof value !== 'string' || value.length > max || value.includes('\0')) throw new Malformed('a text')
  return value
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value)
}

function integer(value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new Malformed(`a number from ${min} to ${max}`)
  return value
}

function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Malformed('true or false')
  return value
}

function strings(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > 65_536) throw new Malformed('a list')
  return value.map((item) => text(item, 1 << 20))
}

function record(value: unknown): Record<string, string> {
  const entries = Object.entries(fields(value))
  return Object.fromEntries(entries.map(([name, item]) => [text(name), text(item, 1 << 20)]))
}

function size(value: unknown): Size {
  const { columns, rows } = fields(value)
  // A terminal that tells no size says 0 (a serial line): programs get the usual one.
  return { columns: integer(columns, 0, 9999) || 80, rows: integer(rows, 0, 9999) || 24 }
}

/** Leaves out what is undefined: optional fields are absent or there. */
function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
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
    terminal: terminal as Size & { term: string },
    descriptors: optional(command.descriptors, text) as string,
    cwd: optional(command.cwd, text) as string,
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
      return present({ do: it.do, box: optional(it.box, text) as string, cwd: text(it.cwd) })
    case 'box.list':
    case 'system.status':
    case 'system.shutdown':
      return { do: it.do }
    case 'box.status':
    case 'box.restart':
      return { do: it.do, name: text(it.name) }
    case 'box.kill':
      return { do: it.do, name: text(it.name), force: flag(it.force) }
    case 'run':
      return { do: it.do, box: boxOptions(it.box), command: commandOptions(it.command) }
    case 'exec':
      return { do: it.do, name: text(it.name), command: commandOptions(it.command) }
    case 'shell.open':
      return {
        do: it.do,
        name: text(it.name),
        command: strings(it.command),
        fresh: flag(it.fresh),
        term: text(it.term),
        size: size(it.size),
      }
    case 'attach':
      return present({
        do: it.do,
        name: text(it.name),
        pty: integer(it.pty, 0, 1 << 20),
        readonly: flag(it.readonly),
        size: optional(it.size, size) as Size,
      })
    default:
      throw new Malformed('a known call')
  }
}

/** A message of a client; undefined when it is none. */
export function parseClientMessage(payload: Uint8Array): ClientMessage | undefined {
  try {
    const it = fields(JSON.parse(Buffer.from(payload).toString('utf8')))
    switch (it.type) {
      case 'hello':
        return { type: 'hello', protocol: integer(it.protocol, 0, 1 << 30), version: text(it.version) }
      case 'call':
        return { type: 'call', id: integer(it.id, 0, 2 ** 31), call: call(it.call) }
      case 'resize':
        return { type: 'resize', size: size(it.size) }
      case 'signal':
        return { type: 'signal', signal: integer(it.signal, 1, 64) }
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}

/** A message of the daemon; the daemon is ours, so only the shape that decides is looked at. */
export function parseServerMessage(payload: Uint8Array): ServerMessage | undefined {
  try {
    const it = fields(JSON.parse(Buffer.from(payload).toString('utf8')))
    const known = ['hello', 'result', 'error', 'exit', 'notice']
    return known.includes(String(it.type)) ? (it as unknown as ServerMessage) : undefined
  } catch {
    return undefined
  }
}
