/** The commands of the first level. Each is loaded when it is called. */
import type { Load } from './common/declare.ts'

export const COMMANDS = {
  attach: () => import('./commands/attach.ts'),
  run: () => import('./commands/run.ts'),
  exec: () => import('./commands/exec.ts'),
  shell: () => import('./commands/shell.ts'),
  logs: () => import('./commands/logs.ts'),
  cp: () => import('./commands/cp.ts'),
  ls: () => import('./commands/ls.ts'),
  status: () => import('./commands/status.ts'),
  create: () => import('./commands/create.ts'),
  restart: () => import('./commands/restart.ts'),
  stop: () => import('./commands/stop.ts'),
  start: () => import('./commands/start.ts'),
  kill: () => import('./commands/kill.ts'),
  events: () => import('./commands/events.ts'),
  snapshot: () => import('./commands/snapshot.ts'),
  build: () => import('./commands/build.ts'),
  image: () => import('./commands/image.ts'),
  volume: () => import('./commands/volume.ts'),
  init: () => import('./commands/init.ts'),
  config: () => import('./commands/config.ts'),
  trust: () => import('./commands/trust.ts'),
  completion: () => import('./commands/completion.ts'),
  system: () => import('./commands/system.ts'),
} as const satisfies Readonly<Record<string, Load>>

/** The command that `coop` alone runs. */
export const defaultCommand: Load = () => import('./commands/coop.ts')
