/**
 * Git's files in the home of a box: the author of commits and the ignored files, from the user's git configuration, and
 * nothing else of it (no signing, no credentials, no helpers, no aliases that run commands).
 */
import { basename, dirname, join } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import { textOf } from '../../ffi/text-bytes.ts'
import { type GitSetting, lastOf, parseGitConfig } from '../host/git-config.ts'
import { resolvedPath } from '../host/host-place.ts'
import { mountRefusal, type SensitiveFacts } from '../sandbox/sensitive.ts'
import type { SecretSettings } from '../secrets/decide.ts'
import type { Pattern } from '../secrets/gitignore.ts'
import { mayBePlanted } from './git-pointer.ts'
import { ignoredSecrets, SECRETS_CONFIG, secretAttributes } from './git-secrets.ts'

const MAX_BYTES = 1 << 20
const MAX_INCLUDES = 20 // files; they may include each other

export interface GitHomeFacts {
  readonly home: string
  /** XDG_CONFIG_HOME of the caller. */
  readonly configHome: string | undefined
  /** Places that boxes write: a path in a file there is not the user's word. */
  readonly writable: readonly string[]
  readonly sensitive: SensitiveFacts
  /** What is hidden from the box by name; absent in the box of a build step. */
  readonly secrets?:
    | { readonly settings: SecretSettings; readonly coopignore: readonly Pattern[] }
    | undefined
}

/** The path without links and `..`; undefined if a link on the way is not the user's. */
function realOf(path: string, writable: readonly string[]): string | undefined {
  try {
    return resolvedPath(path, writable, 'E_FAILED')
  } catch {
    return undefined
  }
}

/** A small regular file at a resolved path; undefined if there is none, or it has become a link since. */
function textAt(real: string): string | undefined {
  try {
    const bytes = readInside(dirname(real), basename(real), MAX_BYTES)
    return bytes && textOf(Buffer.from(bytes))
  } catch {
    return undefined // unreadable, or a fifo: a folder of settings may be mounted in a box
  }
}

/** The settings of the user's files with the files that they include (git-config(1), "Includes"), without conditions. */
export function gitSettings({ home, configHome, writable }: GitHomeFacts): readonly GitSetting[] {
  let left = MAX_INCLUDES
  const open = new Set<string>()
  const read = (path: string): readonly GitSetting[] => {
    const from = realOf(path, writable)
    if (from === undefined || open.has(from) || left-- <= 0) return []
    open.add(from)
    const settings = settingsOf(path, from)
    open.delete(from)
    return settings
  }
  const settingsOf = (path: string, from: string): readonly GitSetting[] => {
    return parseGitConfig(textAt(from) ?? '').flatMap((setting) => {
      const { section, key, value } = setting
      const isPath =
        (section === 'include' && key === 'path') || (section === 'core' && key === 'excludesfile')
      if (!isPath) return section === 'include' ? [] : setting
      // Resolved once, before it is judged: `..` behind a link leads elsewhere than the text says.
      const at = realOf(expanded(value, home, dirname(path)), writable)
      if (at === undefined || mayBePlanted(from, at, writable)) return []
      return section === 'include' ? read(at) : { section, key, value: at }
    })
  }
  return [join(configHome ?? join(home, '.config'), 'git/config'), join(home, '.gitconfig')].flatMap(read)
}

const expanded = (path: string, home: string, folder: string): string =>
  path.startsWith('~/') ? join(home, path.slice(2)) : path.startsWith('/') ? path : join(folder, path)

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

const isPlain = (value: string | undefined): value is string => !!value && !/[\0\n]/.test(value)

/** The files by their paths below the box's home. */
export function gitHome(facts: GitHomeFacts): Record<string, string> {
  const settings = gitSettings(facts)
  const author = ['name', 'email'].flatMap((key) => {
    const value = lastOf(settings, 'user', key)
    return isPlain(value) ? [`\t${key} = ${quoted(value)}\n`] : []
  })
  const user = author.length ? `[user]\n${author.join('')}` : ''
  // Worktrees of the host, made while the box runs, look deleted in it; `git gc` would remove them some day.
  const { secrets } = facts
  const config = `${user}[gc]\n\tworktreePruneExpire = never\n${secrets ? SECRETS_CONFIG : ''}`
  const files = {
    '.gitconfig': config,
    ...(secrets ? { '.config/git/attributes': secretAttributes(secrets.settings, secrets.coopignore) } : {}),
  }
  const configured = lastOf(settings, 'core', 'excludesfile')
  const file = configured ?? join(facts.configHome ?? join(facts.home, '.config'), 'git/ignore')
  const ignored = mountRefusal(file, facts.sensitive) === undefined ? ignoredText(file, facts) : undefined
  const hidden = secrets ? ignoredSecrets(secrets.settings, secrets.coopignore) : ''
  return ignored || hidden ? { ...files, '.config/git/ignore': `${hidden}${ignored ?? ''}` } : files
}

function ignoredText(file: string, { writable, sensitive }: GitHomeFacts): string | undefined {
  try {
    const real = resolvedPath(file, writable, 'E_FAILED')
    return mountRefusal(real, sensitive) === undefined ? textAt(real) : undefined
  } catch {
    return undefined
  }
}
