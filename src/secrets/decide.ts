/**
 * The one decider: is a path of a workspace or mount a secret by its name, and by which rule. Mounts, the watch over a
 * running box, and everything else that must know ask here. Pure.
 *
 * In order, the first that applies: `[secrets] show`, `[secrets] hide`, the `.coopignore` files, the built-in names. A
 * box can write `.coopignore`, so that `!` there takes back patterns of the same file only: it reveals nothing that
 * another rule hides.
 */
import { hiddenFile, hiddenFolder, mayBeBuiltIn } from './built-in.ts'
import { type CoopIgnore, configuredPattern, type Line } from './coopignore.ts'
import { fold } from './fold.ts'
import { matches, type Names, namesOf, type Pattern } from './gitignore.ts'

/** A link is judged by both rules for files and rules for folders, since it may lead to either. */
export type EntryKind = 'file' | 'folder' | 'link'

export type Rule =
  | { readonly by: 'built-in'; readonly pattern: string }
  | { readonly by: 'config'; readonly pattern: string }
  /** `folder`: of the `.coopignore`, relative to the top; '' for the top. */
  | { readonly by: 'coopignore'; readonly folder: string; readonly line: number; readonly pattern: string }

/** The rule as people read it. */
export function ruleText(rule: Rule): string {
  if (rule.by === 'built-in') return `built-in ${rule.pattern}`
  if (rule.by === 'config') return `[secrets] hide ${rule.pattern}`
  return `${rule.folder ? `${rule.folder}/` : ''}.coopignore:${rule.line} ${rule.pattern}`
}

/** Patterns of the configuration, compiled. */
export interface SecretSettings {
  readonly hide: readonly Pattern[]
  readonly show: readonly Pattern[]
}

/** Compiles `[secrets]`. Raises BadGlob. */
export const secretSettings = ({
  hide,
  show,
}: {
  readonly hide: readonly string[]
  readonly show: readonly string[]
}): SecretSettings => ({
  hide: hide.map((text) => configuredPattern(text, false)),
  show: show.map((text) => configuredPattern(text, true)),
})

interface Ignores {
  readonly folder: string
  readonly depth: number
  readonly lines: readonly Line[]
}

/** A folder that is not hidden, whose entries are to be judged. */
export class Folder {
  readonly #settings: SecretSettings
  readonly #parts: readonly string[]
  readonly #ignores: readonly Ignores[]
  readonly #used: Set<Pattern>

  private constructor(
    settings: SecretSettings,
    parts: readonly string[],
    ignores: readonly Ignores[],
    used: Set<Pattern>,
  ) {
    this.#settings = settings
    this.#parts = parts
    this.#ignores = ignores
    this.#used = used
  }

  /** The top of a workspace or mount. `used` collects patterns that matched something. */
  static top(settings: SecretSettings, ignore?: CoopIgnore, used: Set<Pattern> = new Set()): Folder {
    return new Folder(settings, [], [], used).with(ignore)
  }

  /** A folder in this one, with its own `.coopignore` if it has one. */
  enter(name: string, ignore?: CoopIgnore): Folder {
    return new Folder(this.#settings, [...this.#parts, name], this.#ignores, this.#used).with(ignore)
  }

  /** The same folder with its `.coopignore`. */
  with(ignore: CoopIgnore | undefined): Folder {
    if (!ignore?.lines.length) return this
    const own = { folder: this.#parts.join('/'), depth: this.#parts.length, lines: ignore.lines }
    return new Folder(this.#settings, this.#parts, [...this.#ignores, own], this.#used)
  }

  /** Relative to the top; '' for the top itself. */
  get path(): string {
    return this.#parts.join('/')
  }

  /** The rule that hides an entry of this folder; undefined if it is shown. */
  judge(name: string, kind: EntryKind): Rule | undefined {
    const { hide, show } = this.#settings
    if (!hide.length && !show.length && !this.#ignores.length) return builtIn(name, kind)
    const names = namesOf([...this.#parts, name])
    const isFolder = kind !== 'file'
    const finds = (pattern: Pattern): boolean =>
      matches(pattern, names, isFolder) && !!this.#used.add(pattern)
    if (show.some(finds)) return undefined
    const hidden = hide.find(finds)
    if (hidden) return { by: 'config', pattern: hidden.text }
    return this.#ignored(names, isFolder) ?? builtIn(name, kind)
  }

  #ignored(names: Names, isFolder: boolean): Rule | undefined {
    let found: Rule | undefined
    for (const { folder, depth, lines } of this.#ignores) {
      const below = { exact: names.exact.slice(depth), folded: names.folded.slice(depth) }
      let last: Line | undefined
      for (const line of lines) {
        if (line.negated && !last) continue
        if (!matches(line, below, isFolder)) continue
        this.#used.add(line)
        last = line.negated ? undefined : line
      }
      if (last) found ??= { by: 'coopignore', folder, line: last.line, pattern: last.text }
    }
    return found
  }
}

function builtIn(name: string, kind: EntryKind): Rule | undefined {
  if (!mayBeBuiltIn(name)) return undefined
  const folded = fold(name)
  const pattern =
    (kind !== 'folder' ? hiddenFile(folded) : undefined) ??
    (kind !== 'file' ? hiddenFolder(folded) : undefined)
  return pattern === undefined ? undefined : { by: 'built-in', pattern }
}

/**
 * Judges a whole path below the top. A folder on the way that is hidden hides everything in it. `ignoreOf` gives the
 * `.coopignore` of a folder by its path, '' being the top.
 */
export function decide(
  path: string,
  kind: EntryKind,
  settings: SecretSettings,
  ignoreOf: (folder: string) => CoopIgnore | undefined,
): Rule | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  let folder = Folder.top(settings, ignoreOf(''))
  for (const [index, name] of parts.entries()) {
    const isLast = index === parts.length - 1
    const rule = folder.judge(name, isLast ? kind : 'folder')
    if (rule || isLast) return rule
    const at = parts.slice(0, index + 1).join('/')
    folder = folder.enter(name, ignoreOf(at))
  }
  return undefined
}
