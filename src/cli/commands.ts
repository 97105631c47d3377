/** The commands. Each is loaded when it is called. */
import type { Command } from './command.ts'

interface Entry {
  readonly about: string
  load(): Promise<Command>
}

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

export const COMMANDS = {
  attach: { about: 'rejoin the agent of a box', load: () => from(import('./attach.ts')) },
  run: { about: 'run one command in a fresh box', load: () => from(import('./run.ts')) },
  exec: { about: 'run one command in a running box', load: () => from(import('./exec.ts')) },
  shell: { about: 'open a shell in a box', load: () => from(import('./shell.ts')) },
  cp: { about: 'copy files between this machine and a box', load: () => from(import('./cp.ts')) },
  ls: { about: 'list the boxes', load: () => from(import('./ls.ts')) },
  status: { about: 'show everything about one box', load: () => from(import('./status.ts')) },
  logs: { about: 'show what the agent has put out', load: () => from(import('./logs.ts')) },
  create: { about: 'start a named box in the background', load: () => from(import('./create.ts')) },
  restart: { about: 'restart the agent of a box', load: () => from(import('./restart.ts')) },
  stop: { about: 'end the processes of a box, keep its files', load: () => from(import('./stop.ts')) },
  start: { about: 'start a stopped box again', load: () => from(import('./start-box.ts')) },
  kill: { about: 'end a box and remove it', load: () => from(import('./kill.ts')) },
  snapshot: { about: "keep a box's files, and put them back", load: () => from(import('./snapshot.ts')) },
  build: { about: 'pull the image and run setup', load: () => from(import('./build.ts')) },
  image: { about: 'images: pull, ls, inspect, rm', load: () => from(import('./image.ts')) },
  volume: { about: 'named volumes: ls, rm, prune', load: () => from(import('./volume.ts')) },
  init: { about: 'write a coop.toml that fits this repository', load: () => from(import('./init.ts')) },
  config: { about: 'show the effective configuration', load: () => from(import('./config.ts')) },
  trust: { about: 'what a project asks for, and your word for it', load: () => from(import('./trust.ts')) },
  system: {
    about: 'the daemon and the disk: status, logs, df, clean, prune, shutdown',
    load: () => from(import('./system.ts')),
  },
} as const satisfies Readonly<Record<string, Entry>>

/** What `coop` alone does. */
export const defaultCommand = (): Promise<Command> => from(import('./start.ts'))
