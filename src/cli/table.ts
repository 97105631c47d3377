/** The commands. Each is loaded when it is called. */
import type { Command } from './common/declare.ts'

interface Entry {
  readonly about: string
  load(): Promise<Command>
}

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

export const COMMANDS = {
  attach: { about: 'rejoin the agent of a box', load: () => from(import('./commands/attach.ts')) },
  run: { about: 'run one command in a fresh box', load: () => from(import('./commands/run.ts')) },
  exec: { about: 'run one command in a running box', load: () => from(import('./commands/exec.ts')) },
  shell: { about: 'open a shell in a box', load: () => from(import('./commands/shell.ts')) },
  cp: { about: 'copy files between this machine and a box', load: () => from(import('./commands/cp.ts')) },
  ls: { about: 'list the boxes', load: () => from(import('./commands/ls.ts')) },
  status: { about: 'show everything about one box', load: () => from(import('./commands/status.ts')) },
  logs: { about: 'show what the agent has put out', load: () => from(import('./commands/logs.ts')) },
  events: { about: 'show what happens to boxes, live', load: () => from(import('./commands/events.ts')) },
  create: { about: 'start a named box in the background', load: () => from(import('./commands/create.ts')) },
  restart: { about: 'restart the agent of a box', load: () => from(import('./commands/restart.ts')) },
  stop: {
    about: 'end the processes of a box, keep its files',
    load: () => from(import('./commands/stop.ts')),
  },
  start: { about: 'start a stopped box again', load: () => from(import('./commands/start.ts')) },
  kill: { about: 'end a box and remove it', load: () => from(import('./commands/kill.ts')) },
  snapshot: {
    about: "keep a box's files, and put them back",
    load: () => from(import('./commands/snapshot.ts')),
  },
  build: { about: 'pull the image and run setup', load: () => from(import('./commands/build.ts')) },
  image: { about: 'images: pull, ls, inspect, rm', load: () => from(import('./commands/image.ts')) },
  volume: { about: 'named volumes: ls, rm, prune', load: () => from(import('./commands/volume.ts')) },
  init: {
    about: 'write a coop.toml that fits this repository',
    load: () => from(import('./commands/init.ts')),
  },
  config: { about: 'show the effective configuration', load: () => from(import('./commands/config.ts')) },
  system: {
    about: 'the daemon and the disk: status, logs, df, clean, prune, shutdown',
    load: () => from(import('./commands/system.ts')),
  },
} as const satisfies Readonly<Record<string, Entry>>

/** What `coop` alone does. */
export const defaultCommand = (): Promise<Command> => from(import('./commands/coop.ts'))
