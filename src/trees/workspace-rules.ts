/**
 * The rules of git by which a snapshot leaves files of its workspace out. They are kept with the snapshot: a restore
 * must not judge by the `.gitignore` that it is about to replace. `tree/` holds the `.gitignore` files at their places in
 * the repository, `git/` a repository without objects whose `info/exclude` holds the user's other patterns.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Statx } from '../../ffi/abi/structs.ts'
import { readAt } from '../../ffi/files.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { runGit } from './git-process.ts'
import { openTop, split, within } from './work-files.ts'
import { birthMark, type Existing, printOf } from './workspace-plan.ts'

const MAX_RULES = 1 << 20 // bytes of one file; longer ones are no patterns that a person wrote
const NAME = '.gitignore'
const READ = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | abi.O_NOFOLLOW

const treeOf = (rules: string): string => join(rules, 'tree')
const gitOf = (rules: string): string => join(rules, 'git')

/** The text of a file with patterns; empty for anything but a regular file. */
function patterns(open: () => number): Uint8Array {
  let fd: number
  try {
    fd = open()
  } catch (error) {
    if (error instanceof SysError) return new Uint8Array()
    throw error
  }
  try {
    const stat = tree.statAt(fd, '')
    if (stat.type !== k.S_IFREG || stat.size > MAX_RULES) return new Uint8Array()
    const bytes = new Uint8Array(Number(stat.size))
    return bytes.subarray(0, bytes.length ? readAt(fd, bytes, 0) : 0)
  } finally {
    closeDescriptor(fd)
  }
}

/** The same for an absolute path; empty when there is a link on the way, which a box may have made. */
const patternsAt = (path: string): Uint8Array => patterns(() => tree.openReal(tree.pathBytes(path), READ))

/** Keeps the rules of a workspace in the new folder `rules`. Returns the workspace's path in the repository. */
export async function saveRules(
  workspace: string,
  home: string,
  files: readonly string[],
  rules: string,
  signal?: AbortSignal,
): Promise<string> {
  const asked = await runGit(
    workspace,
    home,
    ['rev-parse', '--show-prefix', '--git-path', 'info/exclude'],
    signal,
  )
  const [prefix = '', exclude = ''] = asked.toString('latin1').split('\n')
  const named = ['config', '--global', '--default', '', '--type=path', '--get', 'core.excludesFile']
  const own = (await runGit(workspace, home, named, signal, undefined, { none: 1 }))
    .toString('latin1')
    .trimEnd()
  mkdirSync(join(gitOf(rules), 'objects'), { recursive: true, mode: 0o700 })
  mkdirSync(join(gitOf(rules), 'refs'), { mode: 0o700 })
  mkdirSync(join(gitOf(rules), 'info'), { mode: 0o700 })
  writeFileSync(join(gitOf(rules), 'HEAD'), 'ref: refs/heads/none\n') // git knows a repository by it
  // The repository's own patterns come last, because the last one that matches decides (gitignore(5)).
  const all = [own || join(home, '.config/git/ignore'), resolve(workspace, tree.pathText(exclude))]
  writeFileSync(
    join(gitOf(rules), 'info/exclude'),
    Buffer.concat(all.flatMap((path) => [patternsAt(path), Buffer.from('\n')])),
  )
  mkdirSync(treeOf(rules), { mode: 0o700 })
  const parts = prefix.split('/').filter(Boolean)
  const put = (folder: string, text: Uint8Array): void => {
    if (!text.length) return
    const path = join(treeOf(rules), tree.pathText(folder))
    mkdirSync(path, { recursive: true, mode: 0o700 })
    writeFileSync(join(path, NAME), text)
  }
  // A workspace within a repository: the patterns of the folders around it.
  for (const [index] of parts.entries())
    put(
      parts.slice(0, index).join('/'),
      patternsAt(resolve(workspace, '../'.repeat(parts.length - index), NAME)),
    )
  await within(openTop(workspace), async (top) => {
    for (const path of files) {
      const { folder, name } = split(path)
      if (name !== NAME) continue
      put(
        [...parts, folder].filter(Boolean).join('/'),
        patterns(() => {
          const dir = tree.openBelow(top, folder)
          try {
            return tree.openFile(dir, name)
          } finally {
            closeDescriptor(dir)
          }
        }),
      )
    }
  })
  return prefix
}

/** Returns those of the paths that the kept rules ignore. */
async function ignoredBy(
  rules: string,
  prefix: string,
  home: string,
  paths: readonly string[],
): Promise<Set<string>> {
  if (!paths.length) return new Set()
  const args = [
    ...['-c', 'core.excludesFile=/dev/null'],
    ...['--git-dir', gitOf(rules), '--work-tree', '.', 'check-ignore', '--no-index', '-z', '--stdin'],
  ]
  // Otherwise a name such as `:(top)x` would be read as a pattern (gitglossary(7), pathspec).
  const before = `./${prefix}`
  const stdin = Buffer.from(paths.map((path) => `${before}${path}\0`).join(''), 'latin1')
  const out = await runGit(treeOf(rules), home, args, undefined, undefined, { stdin, none: 1 })
  return new Set(
    out
      .toString('latin1')
      .split('\0')
      .filter(Boolean)
      .map((path) => path.slice(before.length)),
  )
}

export interface DoomRules {
  /** The time of the snapshot, in milliseconds since 1970. */
  readonly created: number
  /** Undefined for a snapshot of release 0.1.0. */
  readonly record: { readonly left: readonly string[]; readonly births: readonly string[] } | undefined
  /** Repositories within the workspace that were left out; they end with a slash. */
  readonly leftOut: readonly string[]
  /** The kept rules of git; undefined when the snapshot left nothing out. */
  readonly rules: { readonly folder: string; readonly prefix: string; readonly home: string } | undefined
}

/**
 * Decides which files, all of them not in a snapshot, a restore deletes: those that the snapshot would have had, and
 * that are plainly made since or renamed from saved ones. Files of which that cannot be told are `unsure` and stay.
 */
export async function findDoomed(
  files: readonly { readonly path: string; readonly stat: Statx }[],
  { created, record, leftOut, rules }: DoomRules,
): Promise<{ doomed: readonly Existing[]; unsure: readonly string[] }> {
  const all = files.map(({ path }) => path)
  if (!record) return { doomed: [], unsure: all }
  const left = new Set([...record.left, ...leftOut])
  const asked = files.filter(({ path }) => !isLeft(path, left))
  const ignored = rules
    ? await ignoredBy(
        rules.folder,
        rules.prefix,
        rules.home,
        asked.map(({ path }) => path),
      )
    : new Set<string>()
  const births = new Set(record.births)
  const since = BigInt(Math.round(created)) * 1_000_000n
  const doomed: Existing[] = []
  const unsure: string[] = []
  for (const { path, stat } of asked) {
    if (ignored.has(path)) continue
    if (stat.birth > since || births.has(birthMark(stat) ?? '')) doomed.push({ path, print: printOf(stat) })
    else unsure.push(path)
  }
  return { doomed, unsure }
}

/** Whether a path, or a folder above it, was left out. */
function isLeft(path: string, left: ReadonlySet<string>): boolean {
  if (left.has(path)) return true
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
    if (left.has(path.slice(0, at + 1))) return true
  return false
}
