/**
 * OSC 7501: a program says what it is doing, as Codex does unasked and Claude Code where its query is answered.
 *
 *     OSC 7501 ; ? ST                                    query; a terminal that knows it answers with the same
 *     OSC 7501 ; state=blocked:app=codex:kind=permission:msg=BASE64 ST
 *
 * Fields: `state` (idle, working, blocked, done, clear), `app`, `id` (of one of several tasks), `kind` (of a question),
 * `progress` (percent), `title` and `msg` (UTF-8 in base64). A program reports only what has changed. Pure.
 */
import { sanitize } from './characters.ts'

export type ProgramState = 'idle' | 'working' | 'blocked' | 'done' | 'clear'

export interface ProgramStatus {
  readonly state: ProgramState
  /** Names one of the program's tasks; '' is the program itself. */
  readonly id: string
  /** Its message: one line of plain text. */
  readonly text?: string
}

const HEAD = '7501;'
/** The same fields again, made of checked parts, and no others. */
const FIELDS: Readonly<Record<string, RegExp>> = {
  state: /^(?:idle|working|blocked|done|clear)$/,
  app: /^[\w.+-]{1,32}$/,
  id: /^[\w.+-]{1,64}$/,
  kind: /^[\w.+-]{1,32}$/,
  progress: /^(?:\d{1,2}|100)$/,
  title: /^[A-Za-z\d+/]{1,4096}={0,2}$/,
  msg: /^[A-Za-z\d+/]{1,4096}={0,2}$/,
}
const MAX_FIELDS = 12
const MAX_TEXT = 200 // characters

export const isStatus = (text: string): boolean => text.startsWith(HEAD)

/** Whether a program asks for the answer without which it says nothing. */
export const isStatusQuery = (text: string): boolean => /^7501;\?$/.test(text)

/** The known and well-formed fields of a report; of a field that comes twice, the last one. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const part of text.slice(HEAD.length).split(':', MAX_FIELDS)) {
    const at = part.indexOf('=')
    const [name, value] = [part.slice(0, at), part.slice(at + 1)]
    if (Object.hasOwn(FIELDS, name) && FIELDS[name]?.test(value)) fields.set(name, value)
  }
  return fields
}

const plain = (base64: string): string => sanitize(Buffer.from(base64, 'base64'), MAX_TEXT).trim()

/** Reads the payload of an OSC 7501, one character per byte. Undefined for a query, and for what is no report. */
export function parseStatus(text: string): ProgramStatus | undefined {
  const fields = fieldsOf(text)
  const state = fields.get('state')
  if (state === undefined) return undefined
  const said = plain(fields.get('msg') ?? '')
  return { state: state as ProgramState, id: fields.get('id') ?? '', ...(said ? { text: said } : {}) }
}

/** The payload of a report. */
export function statusReport(state: ProgramState, text: string | undefined): string {
  return `${HEAD}state=${state}${text ? `:msg=${Buffer.from(text).toString('base64')}` : ''}`
}

/** The report for a terminal of the user: its texts as one line without controls, nothing that is not known. */
export function cleanStatus(text: string): string | undefined {
  const fields = fieldsOf(text)
  if (!fields.has('state')) return undefined
  for (const name of ['title', 'msg']) {
    const value = fields.get(name)
    if (value !== undefined) fields.set(name, Buffer.from(plain(value)).toString('base64'))
  }
  return HEAD + [...fields].map(([name, value]) => `${name}=${value}`).join(':')
}
