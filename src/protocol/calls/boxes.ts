/** Calls about boxes. */
import { call } from '../shapes/call.ts'
import {
  anything,
  flag,
  integer,
  list,
  literal,
  number,
  type Of,
  object,
  oneOf,
  optional,
  record,
  text,
} from '../shapes/shapes.ts'
import { boxFlags, boxOptions, environment, target, terminalId, time, windowSize } from '../shapes/values.ts'
import { brokeredUse } from './broker.ts'

/** A client that shows a terminal. */
export const clientInfo = object({
  /** The client's process, if it runs on this machine. */
  pid: optional(integer(0, 2 ** 31)),
  terminal: optional(text()),
  readonly: flag,
  size: optional(windowSize),
  since: time,
})
export type ClientInfo = Of<typeof clientInfo>

export const terminalInfo = object({
  id: terminalId,
  command: list(text(1 << 20)),
  state: text(),
  exitCode: optional(integer(0, 255)),
  clients: list(clientInfo),
  size: object({
    columns: integer(0, 9999),
    rows: integer(0, 9999),
    width: optional(integer(0, 0xffff)),
    height: optional(integer(0, 0xffff)),
  }),
})
export type PtyInfo = Of<typeof terminalInfo>

const boxFields = {
  name: text(),
  workspace: text(),
  image: text(),
  network: text(),
  /** The image was built again since the box was made. */
  olderBuild: optional(literal(true)),
  agent: text(),
  state: text(),
  /** Why the box is stopped or unknown. */
  reason: optional(text()),
  /** For an unknown box: the newer coop that made it. */
  release: optional(text()),
  /** What the agent is doing, from what coop knows it, and its question or message. */
  doing: optional(
    object({
      state: oneOf('idle', 'working', 'blocked', 'done', 'waiting'),
      since: time,
      text: optional(text()),
      from: oneOf('report', 'title', 'progress', 'signal', 'silence', 'budget'),
    }),
  ),
  /** When the agent began to wait for its user, and its message. */
  waiting: optional(object({ since: time, text: optional(text()) })),
  /** What is no longer where it was when this running box started; with sentences for its user. */
  displaced: optional(
    object({ workspace: optional(oneOf('moved', 'deleted', 'replaced')), notes: list(text(1 << 16)) }),
  ),
  created: time,
  ptys: list(terminalInfo),
  clients: integer(0, 1 << 20),
  detachKey: text(),
  /** Resident bytes of the box's processes; absent when they cannot be read. */
  memory: optional(number),
}
export const boxInfo = object(boxFields)
export type BoxInfo = Of<typeof boxInfo>

const warnings = list(text(1 << 16))
const createdBox = object({ ...boxFields, warnings })
export type CreatedBox = Of<typeof createdBox>

const idLine = object({ inside: number, outside: number, count: number })
const boxStatus = object({
  ...boxFields,
  hostname: text(),
  user: object({ name: text(), home: text(), shell: text() }),
  ids: object({ kind: oneOf('range', 'single', 'root'), uids: list(idLine), gids: list(idLine) }),
  limits: object({ pids: number, openFiles: number }),
  confinement: object({
    capabilities: list(text()),
    nested: flag,
    ptrace: flag,
    setuidFiles: flag,
    landlockScope: flag,
  }),
  mounts: list(object({ source: text(), target: text(), readonly: flag })),
  environment: record(1 << 20),
  autoRestart: flag,
  /** The keys that stay outside of the box, and what it has used of them. */
  broker: optional(list(brokeredUse)),
  init: optional(object({ pid: number, startTime: text(), boot: text() })),
  notes: list(text(1 << 16)),
  /** How many names the box sees empty because they look like secrets; with `secrets`, which. */
  hiddenCount: number,
  hidden: optional(list(object({ path: text(1 << 16), rule: text(1 << 16) }))),
})
export type BoxStatus = Of<typeof boxStatus>

const named = object({ box: text() })

export const BOX_CALLS = {
  'box.create': call(
    "Makes a box and starts its agent. With `greet` the agent's terminal first says what this is, and the warnings.",
    object({ box: boxOptions, greet: optional(flag) }),
    createdBox,
  ),
  'box.plan': call(
    'Returns the plan of a box as JSON, and makes nothing.',
    object({ box: boxOptions }),
    anything,
  ),
  'box.find': call(
    'Finds a box. With `unknown` it also returns a box that this release cannot read; otherwise that is an error.',
    object({ ...target, unknown: optional(flag) }),
    boxInfo,
  ),
  'box.list': call(
    'Lists the boxes. `all`: those of `coop run` too, whose state is `run`; first waits for boxes that are being removed.',
    object({ all: optional(flag) }),
    list(boxInfo),
  ),
  'box.differences': call(
    'Tells which flags ask for something else than a box has. Values of variables are left out.',
    object({ ...target, flags: boxFlags }),
    list(object({ option: text(1 << 20), has: text(1 << 20) })),
  ),
  'box.status': call(
    'Tells everything about one box. `secrets` lists the hidden names.',
    object({ ...target, secrets: optional(flag) }),
    boxStatus,
  ),
  'box.kill': call(
    'Ends every process of a box and removes it. With `force` it kills them at once.',
    object({ ...target, force: flag }),
    named,
  ),
  'box.stop': call(
    'Ends every process of a box and keeps its files. With `force` it kills them at once.',
    object({ ...target, force: flag }),
    named,
  ),
  'box.start': call(
    'Reads the configuration of a stopped box again and starts it. With `flags` it gets them, and a running one is stopped first.',
    object({ ...target, environment, attaches: optional(flag), flags: optional(boxFlags) }),
    object({ box: text(), warnings }),
  ),
} as const
