/** Calls about the daemon itself. */
import { call } from '../shapes/call.ts'
import { integer, list, nothing, number, type Of, object, text } from '../shapes/shapes.ts'

const systemStatus = object({
  pid: integer(1, 2 ** 31),
  version: text(),
  /** Seconds. */
  uptime: integer(0, Number.MAX_SAFE_INTEGER),
  boxes: integer(0, 1 << 20),
  clients: integer(0, 1 << 20),
  /** Milliseconds that the latest creations of boxes took. */
  creates: list(number),
  /** Manifests that could not be read, by their current paths. */
  unreadable: list(text()),
  paths: object({
    configDir: text(),
    dataDir: text(),
    cacheDir: text(),
    runtimeDir: text(),
    logsDir: text(),
  }),
})
export type SystemStatus = Of<typeof systemStatus>

export const SYSTEM_CALLS = {
  'system.status': call('Describes the daemon.', object({}), systemStatus),
  events: call('Sends every event from now on.', object({}), nothing),
  'system.shutdown': call('Ends the daemon. Boxes keep running.', object({}), nothing),
} as const
