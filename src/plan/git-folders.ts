/**
 * The git folders of a workspace that lie outside of it: of a linked worktree, a submodule, `--separate-git-dir`, a
 * `.git` that is a link, and the objects of `git clone --shared`. The box gets them as mounts, at the same places.
 *
 * The workspace names these folders, and boxes write in the workspace. So a folder is mounted only when it names the
 * workspace, too, as those of worktrees and submodules do; when no box can have written the pointer; or when a person
 * has accepted it. A folder that was mounted once counts as accepted.
 */
import { lstatSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { isInside } from '../../ffi/small-file.ts'
import { isKernelPlace } from '../config/box-paths.ts'
import { type GitSetting, lastOf, parseGitConfig } from '../host/git-config.ts'
import { sourceAt, statOf } from '../host/host-place.ts'
import type { ExtraMount } from '../sandbox/compose.ts'
import type { Source } from '../sandbox/plan.ts'
import { isWithin, mountRefusal, type SensitiveFacts } from '../sandbox/sensitive.ts'
import type { Ask } from '../trust/ask.ts'
import { keyOf, shown } from '../trust/words.ts'
import {
  followed,
  type GitPlace,
  gitLine,
  gitText,
  isFolder,
  leadsTo,
  linkOf,
  mayBePlanted,
} from './git-pointer.ts'
import { absentWorktrees, moduleStores } from './git-worktrees.ts'

const MAX_CONFIG = 1 << 20 // bytes
const MOST_ALTERNATES = 16
const ALTERNATE_DEPTH = 5 // as git has it (alt_odb_usable in object-file.c)

export interface GitFacts {
  readonly workspace: Source
  /** Where the box has it. */
  readonly target: string
  /** The mounts of the configuration. */
  readonly mounts: readonly ExtraMount[]
  /** Places that boxes write or have ever written, with their identities. */
  readonly writable: readonly string[]
  readonly sensitive: SensitiveFacts
  /** The user who invokes coop. */
  readonly uid: number
  isAccepted(ask: Ask): boolean
}

export interface GitFolders {
  readonly mounts: readonly ExtraMount[]
  /** Paths of `.git` files that the box does not have, and that git must not take for deleted. */
  readonly absent: readonly string[]
  /** Sentences for the person who starts the box. */
  readonly notes: readonly string[]
  /** Other paths of the workspace, by which git knows it. */
  readonly ways: readonly string[]
  /** What a person may accept; nothing of it is mounted before. */
  readonly asks: readonly Ask[]
  /** What is mounted because no box can have asked for it yet. Must be accepted before a box runs that could. */
  readonly remember: readonly Ask[]
}

/** How far a folder is believed: it names the workspace, is free to be named, or is another project's. */
type Claim = 'ours' | 'free' | { readonly not: string }

class Search {
  readonly mounts: ExtraMount[] = []
  readonly notes: string[] = []
  readonly asks: Ask[] = []
  readonly remember: Ask[] = []
  readonly ways: string[] = []
  readonly facts: GitFacts

  constructor(facts: GitFacts) {
    this.facts = facts
  }

  get targets(): readonly string[] {
    const { target, mounts } = this.facts
    return [target, ...mounts.map((mount) => mount.target), ...this.mounts.map((mount) => mount.target)]
  }

  /**
   * Has the box get a folder that `pointer` names, unless it has it anyway. Returns whether git finds it in the box.
   * `lacks`: what git in the box cannot do without it.
   */
  add(
    place: GitPlace,
    pointer: string,
    claim: Claim,
    kind: 'git folder' | 'objects',
    lacks: string,
  ): boolean {
    if (this.targets.some((target) => isWithin(place.at, target))) return true
    const { writable } = this.facts
    const readonly = kind === 'objects'
    const ask = {
      key: keyOf(readonly ? 'git-objects' : 'git-folder', place.path),
      sentence: `${readonly ? 'read' : 'read and change'} the ${kind} ${shown(place.path)}, which its .git names`,
    }
    const refusal = this.#refusal(place)
    if (refusal !== undefined) {
      this.notes.push(`${lacks}: the ${kind} ${place.path} is not mounted into boxes: ${refusal}`)
      return false
    }
    // As git asks for a `.git` of the caller's own (safe.directory in git-config(1)).
    const isOthers = ownerOf(pointer) !== ownerOf(place.path)
    const isFree = claim === 'free' && !isOthers && !mayBePlanted(pointer, place.path, writable)
    if (claim !== 'ours' && !this.facts.isAccepted(ask)) {
      if (!isFree) {
        const writer = isOthers ? 'another user' : 'a box'
        const why = claim === 'free' ? `${writer} may have written that` : claim.not
        this.notes.push(
          `${lacks}: ${pointer} names the ${kind} ${place.path}, and ${why}; to let the box have it: coop trust -w ${shown(this.facts.workspace.path)}`,
        )
        this.asks.push(ask)
        return false
      }
      this.remember.push(ask)
      this.notes.push(`the box can ${ask.sentence}`)
    } else if (claim !== 'ours') this.asks.push(ask)
    const source = sourceAt(place.path, 'user')
    if (source?.type !== 'folder') return false
    this.mounts.push({ source, target: place.at, readonly })
    return true
  }

  #refusal({ path, at }: GitPlace): string | undefined {
    const { sensitive, uid, workspace } = this.facts
    const owner = statOf(path)?.uid
    // Root works in the folders of other users. Their repositories are theirs, as their workspaces are.
    const owners = uid === 0 ? [0, statOf(workspace.path)?.uid] : [uid]
    if (!owners.includes(owner)) return 'it belongs to another user'
    if (isKernelPlace(at)) return `a box cannot have a mount at ${at}`
    return mountRefusal(path, sensitive)
  }

  /** Objects that a repository shares with another one (gitrepository-layout(5), "objects/info/alternates"). */
  alternates(objects: GitPlace, depth = 0): void {
    const pointer = join(objects.path, 'info/alternates')
    const lines = gitText(objects.path, 'info/alternates')?.split('\n') ?? []
    const lacks = `git does not find all objects in this box`
    for (const line of lines
      .filter((text) => text !== '' && !text.startsWith('#'))
      .slice(0, MOST_ALTERNATES)) {
      const place = followed(line, objects, this.facts.writable)
      if (!place)
        this.notes.push(`${lacks}: ${pointer} leads to no folder, or through a link that a box may have made`)
      const isStore = place && ['pack', 'info'].some((name) => isFolder(join(place.path, name)))
      if (place && !isStore) this.notes.push(`${lacks}: ${place.path} holds no objects of git`)
      if (!place || !isStore || this.mounts.length > MOST_ALTERNATES) continue
      if (this.add(place, pointer, 'free', 'objects', lacks) && depth < ALTERNATE_DEPTH)
        this.alternates(place, depth + 1)
    }
  }

  /** The rest of a git folder that the box has. Returns worktrees that it does not have. */
  finish(store: GitPlace): readonly string[] {
    for (const name of ['objects', 'refs']) {
      if (linkOf(join(store.path, name)) === undefined || isInside(store.path, `${name}/.`)) continue
      this.notes.push(
        `git does not work in this box: ${store.path}/${name} is a link out of the git folder; mount its target in your own settings`,
      )
    }
    const stores = [store, ...moduleStores(store)]
    for (const { path, at } of stores)
      this.alternates({ path: join(path, 'objects'), at: join(at, 'objects') })
    return stores.flatMap((one) => absentWorktrees(one, this.targets))
  }
}

/** The owner of a file, folder or link; undefined if it may not be looked at. */
function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid
  } catch {
    return undefined
  }
}

function configOf(folder: string): readonly GitSetting[] {
  const read = (name: string): readonly GitSetting[] =>
    parseGitConfig(gitText(folder, name, MAX_CONFIG) ?? '')
  const own = read('config')
  return lastOf(own, 'extensions', 'worktreeconfig') === 'true' ? [...own, ...read('config.worktree')] : own
}

/** Of a folder that `.git` leads to: the one to mount, and whether it is this workspace's. */
function claimed(leads: GitPlace, facts: GitFacts): { store: GitPlace; claim: Claim } {
  const { store, claim } = claimedBy(leads, facts)
  if (claim !== 'ours') return { store, claim }
  // The workspace may be a folder of worktrees itself, or lie in one: then its own files would claim the folder around.
  const { workspace, mounts, writable } = facts
  const shown = mounts.filter((mount) => !mount.readonly).map((mount) => mount.source.path)
  const mayWrite = [...writable, ...shown, workspace.path]
  const proofs = ['commondir', 'gitdir', 'config', 'config.worktree'].map((name) => join(leads.path, name))
  const isForged = proofs.some((proof) => mayBePlanted(proof, store.path, mayWrite))
  return { store, claim: isForged ? { not: 'a box may have written that it belongs together' } : claim }
}

function claimedBy(leads: GitPlace, { workspace, writable }: GitFacts): { store: GitPlace; claim: Claim } {
  const repair = `it does not name ${workspace.path} as its own`
  const common = gitLine(leads.path, 'commondir')
  if (common !== undefined) {
    // git always makes it this way. Any other `commondir` would choose the mounted folder.
    const up = (path: string): string => dirname(dirname(path))
    const isUsual =
      basename(dirname(leads.path)) === 'worktrees' && basename(dirname(leads.at)) === 'worktrees'
    const store = isUsual ? { path: up(leads.path), at: up(leads.at) } : leads
    if (!isUsual || normalize(`${leads.path}/${common}`.replace(`${leads.path}//`, '/')) !== store.path)
      return { store, claim: { not: 'its commondir is not the usual one' } }
    const back = gitLine(leads.path, 'gitdir')
    const isBack =
      back === join(workspace.path, '.git') ||
      (back?.endsWith('/.git') === true && leadsTo(dirname(back), leads.path, workspace.path, writable))
    return { store, claim: isBack ? 'ours' : { not: `${repair} (git worktree repair cures that)` } }
  }
  const config = configOf(leads.path)
  const tree = lastOf(config, 'core', 'worktree')
  if (tree !== undefined)
    return {
      store: leads,
      claim: leadsTo(tree, leads.path, workspace.path, writable) ? 'ours' : { not: repair },
    }
  if (basename(leads.path) === '.git')
    return { store: leads, claim: { not: `it is the repository of ${dirname(leads.path)}` } }
  if (lastOf(config, 'core', 'bare') === 'true')
    return { store: leads, claim: { not: 'it is a repository of its own' } }
  return { store: leads, claim: 'free' }
}

/** What `.git` of the workspace says, if it is a file or a link: a path, and where it is resolved. */
function pointerOf(workspace: string): string | undefined {
  const link = linkOf(join(workspace, '.git'))
  if (link !== undefined) return link
  // "gitdir: PATH" (gitrepository-layout(5)).
  return /^gitdir: ([^\n]+)/.exec(gitText(workspace, '.git') ?? '')?.[1]?.trimEnd()
}

const isRepository = (folder: string): boolean => isInside(folder, 'HEAD') && isInside(folder, 'objects')

/** Finds the git folders of a workspace, and says what git in the box lacks. Reads only. */
export function gitFolders(facts: GitFacts): GitFolders {
  const search = new Search(facts)
  const { mounts, notes, asks, remember, ways } = search
  return { absent: absentOf(search), mounts, notes, asks, remember, ways }
}

function absentOf(search: Search): readonly string[] {
  const { facts } = search
  const here: GitPlace = { path: facts.workspace.path, at: facts.target }
  const lacks = 'git does not work in this box'
  const text = pointerOf(here.path)
  if (text === undefined) {
    const own = { path: join(here.path, '.git'), at: join(here.at, '.git') }
    if (isFolder(own.path)) return search.finish(own)
    if (isInside(here.path, '.git')) return [] // git calls it invalid, on this machine too
    if (isRepository(here.path)) return search.finish(here) // a bare one
    const above = repositoryAbove(here.path)
    const has = (folder: string): boolean => search.targets.some((target) => isWithin(folder, target))
    if (above !== undefined && !has(join(above, '.git')))
      search.notes.push(
        `${lacks}: ${here.path} belongs to the repository ${above}, and the box has this folder alone; to have all of it: coop -w ${shown(above)}`,
      )
    return []
  }
  const leads = followed(text, here, facts.writable)
  const pointer = join(here.path, '.git')
  if (!leads || !isInside(leads.path, 'HEAD')) {
    search.notes.push(
      `${lacks}: ${pointer} leads to no git folder, or through a link that a box may have made`,
    )
    return []
  }
  const { store, claim } = claimed(leads, facts)
  if (!isRepository(store.path)) {
    search.notes.push(`${lacks}: ${pointer} leads to ${store.path}, which is not a git folder`)
    return []
  }
  const isIn = search.targets.some((target) => isWithin(store.at, target))
  // Git in the box would write the box's path of the worktree into the repository (update_linked_gitdir in setup.c).
  if (
    !isIn &&
    here.at !== here.path &&
    (store !== leads || lastOf(configOf(leads.path), 'core', 'worktree'))
  ) {
    search.notes.push(
      `${lacks}: its git folder ${store.path} knows it as ${here.path}, and workspace.path is ${here.at}`,
    )
    return []
  }
  if (!search.add(store, pointer, claim, 'git folder', lacks)) return []
  const own = store === leads || claim !== 'ours' ? undefined : gitLine(leads.path, 'gitdir')
  // Absolute unless git was told otherwise; a path through a link of the user's is not in the box yet.
  if (own?.startsWith('/')) search.ways.push(normalize(dirname(own)))
  return search.finish(store).filter((path) => !search.ways.includes(dirname(path)))
}

function repositoryAbove(workspace: string): string | undefined {
  for (let folder = workspace; folder !== '/'; ) {
    folder = dirname(folder)
    if (isInside(folder, '.git/HEAD') || pointerOf(folder) !== undefined) return folder
  }
  return undefined
}
