/**
 * Derives from a command on the host the parts that a box needs to run it: read-only mounts, links, PATH entries.
 * Everything keeps its path inside, because programs remember where they were installed.
 */

import { basename, dirname, join } from 'node:path'
import { type HostFacts, interpreterFolders, isVisible, refusal, STORES } from './places.ts'
import { isWithin, type Link, resolveLinks } from './resolve.ts'

export interface ReadOnlyMount {
  readonly source: string
  readonly target: string
}

export interface Needs {
  readonly mounts: readonly ReadOnlyMount[]
  readonly links: readonly Link[]
  /** Folders to put in front of the box's PATH. */
  readonly pathEntries: readonly string[]
}

/** The reason why a box cannot get an installation, as half a sentence. */
export class Unusable extends Error {}

const SHEBANG_BYTES = 256 // BINPRM_BUF_SIZE, execve(2): the kernel reads no further
const WRAPPER_BYTES = 4_096 // bytes; wrapper scripts of installers have a few lines

/** The needs of `real`, a file free of links. `foundIn`: the folders in which its names lie. */
export function needsOf(real: string, foundIn: readonly string[], facts: HostFacts): Needs {
  const shown: string[] = []
  const links: Link[] = []
  const pathEntries: string[] = []
  const show = (path: string) => {
    if (isVisible(path)) return
    const store = STORES.find((folder) => isWithin(path, folder))
    const why = store === undefined ? refusal(path, facts.home) : undefined
    if (why !== undefined) throw new Unusable(why)
    shown.push(store ?? path)
  }

  const installation = installationOf(real, facts)
  show(installation)
  // Scripts of a virtual environment name its Python; very long paths are hidden behind `#!/bin/sh`.
  const python = join(installation, 'bin/python')
  const shebang: Shebang | undefined = isVenv(installation, facts)
    ? { kind: 'path', path: python }
    : readShebang(real, facts)
  if (shebang?.kind === 'search') {
    const { folder, path } = findInterpreter(shebang.name, [...foundIn, dirname(real)], facts)
    show(interpreterTree(path, facts))
    if (!isVisible(folder)) pathEntries.push(folder)
  } else if (shebang?.kind === 'path' && !isVisible(shebang.path)) {
    const resolved = resolveLinks(facts.files, shebang.path)
    if (resolved === undefined) throw new Unusable(`its interpreter ${shebang.path} is missing`)
    links.push(...resolved.links)
    show(interpreterTree(resolved.path, facts))
  } else if (
    shebang?.kind === 'path' &&
    /^(ba|da|z|k)?sh$/.test(basename(shebang.path)) &&
    !isVisible(real)
  ) {
    const text = facts.files.readStart(real, WRAPPER_BYTES) ?? ''
    if (text.includes(`${facts.home}/`) || /\$(HOME|\{HOME\})\//.test(text)) {
      throw new Unusable('it is a shell script that starts another program in the home folder')
    }
  }
  const roots = outermost(shown)
  // Links inside a mounted folder come with it; the other links must be made.
  const bare = links.filter(({ path }) => !isVisible(path) && !roots.some((root) => isWithin(path, root)))
  return { mounts: roots.map((source) => ({ source, target: source })), links: bare, pathEntries }
}

/** The smallest folder or file that contains all of the program at `real`. */
function installationOf(real: string, facts: HostFacts): string {
  const segments = real.split('/')
  const modules = segments.indexOf('node_modules')
  if (modules > 0) {
    // `npm -g` nests a package's dependencies inside it. Other managers put them beside it.
    const npmGlobal = segments[modules - 1] === 'lib'
    const scoped = segments[modules + 1]?.startsWith('@') ? 3 : 2
    const end = npmGlobal ? modules + scoped : modules + 1
    return segments.slice(0, end).join('/')
  }
  const tree = dirname(dirname(real))
  if (isVenv(tree, facts)) return tree
  // A program in a folder of its own below a version manager or /data may need its neighbours. A program in a folder of
  // commands is taken alone, because that folder is the user's.
  const ownTree = basename(dirname(real)) === 'bin' && !isWithin(real, facts.home)
  return ownTree && refusal(tree, facts.home) === undefined ? tree : real
}

function isVenv(tree: string, { files }: HostFacts): boolean {
  return files.kind(join(tree, 'pyvenv.cfg')) === 'file'
}

/** The folder that contains an interpreter and its library: `PREFIX` of `PREFIX/bin/node`. */
function interpreterTree(path: string, { files, home }: HostFacts): string {
  const prefix = dirname(dirname(path))
  const named = basename(dirname(path)) === 'bin'
  const owned =
    named && (files.kind(join(prefix, 'lib')) === 'folder' || files.kind(join(prefix, 'pyvenv.cfg')))
  if (owned && refusal(prefix, home) === undefined) return prefix
  // Node and bun are single files that run alone; Python needs its library.
  if (basename(path).startsWith('python')) return prefix
  return path
}

type Shebang =
  | { readonly kind: 'search'; readonly name: string }
  | { readonly kind: 'path'; readonly path: string }

function readShebang(real: string, { files }: HostFacts): Shebang | undefined {
  const line = files.readStart(real, SHEBANG_BYTES)?.split('\n')[0]
  if (!line?.startsWith('#!')) return undefined
  const [path = '', ...words] = line.slice(2).trim().split(/\s+/)
  if (basename(path) !== 'env') return path.startsWith('/') ? { kind: 'path', path } : undefined
  // `env -S node --flag` and `env NAME=value node`
  const name = words.find((word) => !word.startsWith('-') && !word.includes('='))
  return name === undefined ? undefined : { kind: 'search', name }
}

function findInterpreter(name: string, beside: readonly string[], facts: HostFacts) {
  for (const folder of interpreterFolders(beside, facts)) {
    const resolved = resolveLinks(facts.files, join(folder, name))
    if (resolved === undefined || !facts.files.isExecutable(resolved.path)) continue
    if (isShim(resolved.path)) continue
    // Under /usr the name itself exists in the box, wherever it links to (`/etc/alternatives`).
    if (isVisible(folder)) return { folder, path: resolved.path }
    if (basename(resolved.path) === name) return { folder: dirname(resolved.path), path: resolved.path }
  }
  throw new Unusable(`it needs \`${name}\`, which is not installed where a box can see it`)
}

/** Version managers put small programs on PATH that select the real one; these need the whole manager. */
export function isShim(path: string): boolean {
  return basename(path) === 'volta-shim' || basename(dirname(path)) === 'shims' || basename(path) === 'mise'
}

function outermost(paths: readonly string[]): readonly string[] {
  const unique = [...new Set(paths)]
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)))
}
