/** The login of a box's agent: one copy for all boxes of the agent, in a folder of its own. */
import { basename, dirname } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import { type Adapter, LOGIN_FOLDER } from '../agents/adapter.ts'
import { ADAPTERS } from '../agents/adapters.ts'
import { hostFiles, withoutPlanted } from '../agents/host-files.ts'
import { planSeed } from '../agents/seed.ts'
import type { Config } from '../config/config.ts'
import { type Paths, strangersFile } from '../core/paths.ts'
import { type HostFacts, sourceOf } from '../host/facts.ts'
import { type ExtraMount, homeOf } from '../sandbox/compose.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { persistentPath } from '../store/storage.ts'
import { futureFolder, type Missing } from './missing.ts'

const MAX_LOGIN = 1 << 20 // bytes; logins have some kB

/** A login to bring up to date before the box starts (box/ready-login.ts). */
export interface Login {
  readonly agent: string
  /** The folder that the boxes of this agent share. They may write to it. */
  readonly shared: string
  readonly name: string
  /** The user's own file, free of links; undefined without one. */
  readonly own: string | undefined
  /** The folder in which the agent looks for the file. The box may write to it. */
  readonly settings: string
  /** What the link there says. */
  readonly target: string
  isShared(text: string): boolean
  /** Exists since a box that did not run the agent could write to `settings`. */
  readonly strangers: string
  /** A variable of `[env]`, or the broker, takes the place of the login, so that its link has to go. */
  readonly isReplaced: boolean
}

export interface PlannedLogin {
  readonly mounts: readonly ExtraMount[]
  readonly environment: Readonly<Record<string, string>>
  readonly missing: readonly Missing[]
  readonly login?: Login
}

const NONE: PlannedLogin = { mounts: [], environment: {}, missing: [] }

/**
 * Plans the login of `adapter`: none if the agent has no such file, or if the user mounts something of their own in the
 * place of its settings. `persistent`: the mounts of settings folders.
 */
export function planLogin(input: {
  readonly adapter: Adapter | undefined
  readonly config: Config
  readonly persistent: readonly ExtraMount[]
  /** The broker serves the agent's provider. */
  readonly isBrokered: boolean
  readonly paths: Paths
  readonly host: HostFacts
  /** Places that boxes write. */
  readonly writable: readonly string[]
}): PlannedLogin {
  const { adapter, config, persistent, paths, host } = input
  const file = adapter?.login
  const home = homeOf(config)
  const settings = persistent.find((mount) => file && mount.target === `${home}/${file.folder}`)?.source.path
  if (!file || settings === undefined) return NONE
  const shared = persistentPath(paths, 'login', adapter.name)
  const source = sourceOf(shared, 'box')
  const rule = { copied: [file.name], leftOut: [], beside: {}, edits: {} }
  const facts = { files: withoutPlanted(hostFiles, input.writable), hostHome: host.home, boxHome: home }
  const [found] = planSeed(file.folder, rule, facts)
  const target = `${home}/${LOGIN_FOLDER}`
  const login: Login = {
    agent: adapter.name,
    shared,
    name: file.name,
    own: found && 'source' in found ? found.source : undefined,
    settings,
    target: `${target}/${file.name}`,
    isShared: file.isShared ?? (() => true),
    strangers: strangersFile(paths, basename(settings)),
    isReplaced: input.isBrokered || Boolean(file.insteadOf && config.env[file.insteadOf]),
  }
  if (login.isReplaced) return { ...NONE, login }
  return {
    mounts: [{ source: source ?? futureFolder(shared), target, readonly: false }],
    environment: file.variable === undefined ? {} : { [file.variable]: target },
    missing: source ? [] : [{ make: 'folder', key: 'login', folder: adapter.name, seed: () => [] }],
    login,
  }
}

/** The marks of the agents' settings that a box has without running the agent (`Login.strangers`). */
export function strangersIn(
  persistent: readonly ExtraMount[],
  home: string,
  adapter: Adapter | undefined,
  paths: Paths,
): readonly string[] {
  const others = Object.values(ADAPTERS).filter(({ name, login }) => login && name !== adapter?.name)
  const folders = others.map(({ login }) => `${home}/${login?.folder}`)
  return persistent
    .filter(({ target }) => folders.some((folder) => isWithin(folder, target) || isWithin(target, folder)))
    .map(({ source }) => strangersFile(paths, basename(source.path)))
}

/** The text of a login file; undefined if there is none, or it is not a plain file of a possible size. */
export function loginText(path: string): string | undefined {
  try {
    const bytes = readInside(dirname(path), basename(path), MAX_LOGIN + 1)
    return bytes && bytes.length <= MAX_LOGIN ? Buffer.from(bytes).toString('utf8') : undefined
  } catch {
    return undefined
  }
}
