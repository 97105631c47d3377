/**
 * The manifest of a release: lines of words that bind its version to the size and digest of every file. The format is
 * plain text so that install.sh reads it with `while read`, and so that the signed bytes are the bytes that people see.
 * docs/releasing.md describes it.
 */
import { CoopError } from '../core/errors.ts'
import { isKeyId } from './keys.ts'
import { isVersion } from './versions.ts'

export const MANIFEST_NAME = 'manifest.txt'
export const SIGNATURE_NAME = 'manifest.txt.sig'
export const MAX_MANIFEST_BYTES = 64 << 10

/** What releases have binaries for. `coop --version` names its own. */
export const TARGETS = ['linux-x64', 'linux-arm64', 'linux-x64-musl', 'linux-arm64-musl'] as const

export type Packing = 'zstd' | 'gzip'
const ENDINGS: Readonly<Record<Packing, string>> = { zstd: 'zst', gzip: 'gz' }
const isPacking = (word: string): word is Packing => Object.hasOwn(ENDINGS, word)

export interface FileFacts {
  readonly size: number
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string
}

export interface Archive extends FileFacts {
  readonly target: string
  readonly packing: Packing
  readonly name: string
}

export interface Manifest {
  readonly version: string
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** When the commit was made, in UTC and whole seconds: `2026-11-28T12:00:00Z`. Such texts sort by time. */
  readonly time: string
  /** The oldest kernel that boxes run on, as `5.13`. */
  readonly kernel: string
  /** Ids of keys that must not be believed any more. */
  readonly revoked: readonly string[]
  /** The unpacked executables by target. */
  readonly binaries: ReadonlyMap<string, FileFacts>
  readonly archives: readonly Archive[]
  readonly man?: (FileFacts & { readonly name: string }) | undefined
  readonly notes: readonly string[]
}

/** The name of an archive. It follows from the other facts, so that no archive passes for one of another release. */
export const archiveName = (version: string, target: string, packing: Packing): string =>
  `coop-${version}-${target}.${ENDINGS[packing]}`

/** Returns the manifest as it is signed. Raises when a value has no place in the format. */
export function printManifest(manifest: Manifest): Uint8Array {
  const { version, commit, time, kernel, revoked, binaries, archives, man, notes } = manifest
  const lines = [
    'coop-release 1',
    `version ${version}`,
    `commit ${commit}`,
    `time ${time}`,
    `kernel ${kernel}`,
    ...revoked.map((id) => `revoked ${id}`),
    ...[...binaries].map(([target, { size, sha256 }]) => `binary ${target} ${size} ${sha256}`),
    ...archives.map((a) => `archive ${a.target} ${a.packing} ${a.size} ${a.sha256} ${a.name}`),
    ...(man ? [`man ${man.size} ${man.sha256} ${man.name}`] : []),
    ...notes.map((note) => `note ${note}`),
  ]
  const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`)
  parseManifest(bytes) // whatever readers would refuse is found before it is signed
  return bytes
}

/** Reads a manifest whose signature was verified. Raises E_RELEASE for anything that the format does not allow. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const lines = linesOf(bytes)
  checkFormat(lines[0] ?? '')
  const facts = new Facts()
  for (const [i, line] of lines.entries()) if (i > 0) facts.add(line, i + 1)
  return facts.whole()
}

function linesOf(bytes: Uint8Array): string[] {
  if (bytes.length > MAX_MANIFEST_BYTES) throw malformed(`is larger than ${MAX_MANIFEST_BYTES >> 10} KiB`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('is not UTF-8')
  }
  if (!text.endsWith('\n')) throw malformed('does not end with a newline: it may have been cut off')
  const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.exec(text)
  if (control) throw malformed('has control characters', lineAt(text, control.index))
  return text.slice(0, -1).split('\n')
}

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length

function checkFormat(first: string): void {
  const format = /^coop-release ([1-9]\d{0,5})$/.exec(first)?.[1]
  if (format === '1') return
  if (format === undefined) throw malformed('does not begin with `coop-release 1`')
  throw new CoopError(
    'E_RELEASE',
    `the release is described in format ${format}, which this coop does not know`,
    {
      hint: 'install that release with its install.sh',
    },
  )
}

const malformed = (problem: string, line?: number): CoopError =>
  new CoopError('E_RELEASE', `${MANIFEST_NAME} of the release ${problem}${line ? ` (line ${line})` : ''}`, {
    hint: 'try again later; if it stays, tell whoever publishes the release',
  })

const MAX_FILE_BYTES = 1 << 30 // ten times an executable of today
const MAX_MAN_BYTES = 1 << 20
const COUNT = /^[1-9]\d{0,9}$/
const SHA256 = /^[0-9a-f]{64}$/
const WORD = /^[a-z0-9][a-z0-9-]{0,31}$/ // a target
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const COMMIT = /^[0-9a-f]{40}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const KERNEL = /^[1-9]\d{0,2}\.\d{1,3}$/
// Characters that reorder or hide text on a terminal (Unicode TR36, "Trojan Source").
const INVISIBLE =
  /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

const isTime = (text: string): boolean => {
  const at = TIME.test(text) ? new Date(text) : undefined
  return at !== undefined && !Number.isNaN(at.getTime()) && `${at.toISOString().slice(0, 19)}Z` === text
}

/** Collects the facts of the lines. A fact that may stand only once raises when it comes again. */
class Facts {
  readonly #single = new Map<string, string>()
  readonly #revoked: string[] = []
  readonly #binaries = new Map<string, FileFacts>()
  readonly #archives: Archive[] = []
  readonly #notes: string[] = []
  #man: Manifest['man']

  add(line: string, number: number): void {
    const bad = () => malformed('has a line that cannot be read', number)
    const [fact = '', ...words] = line.split(' ')
    if (fact === '') throw bad()
    const [a = '', b = '', c = '', d = '', e = ''] = words
    switch (fact) {
      case 'version':
      case 'commit':
      case 'time':
      case 'kernel': {
        if (words.length !== 1 || !isSingle[fact](a)) throw bad()
        if (this.#single.has(fact)) throw malformed(`says ${fact} twice`, number)
        this.#single.set(fact, a)
        return
      }
      case 'revoked':
        if (words.length !== 1 || !isKeyId(a)) throw bad()
        if (!this.#revoked.includes(a)) this.#revoked.push(a)
        return
      case 'binary':
        if (words.length !== 3 || !WORD.test(a)) throw bad()
        if (this.#binaries.has(a)) throw malformed(`describes the executable of ${a} twice`, number)
        this.#binaries.set(a, file(b, c, MAX_FILE_BYTES, number))
        return
      case 'archive':
        if (!isPacking(b) || words.length !== 5 || !WORD.test(a) || !FILE_NAME.test(e)) throw bad()
        if (this.#archives.some((archive) => archive.name === e))
          throw malformed(`describes ${e} twice`, number)
        this.#archives.push({ target: a, packing: b, name: e, ...file(c, d, MAX_FILE_BYTES, number) })
        return
      case 'man':
        if (words.length !== 3 || !FILE_NAME.test(c)) throw bad()
        if (this.#man) throw malformed('describes the man page twice', number)
        this.#man = { name: c, ...file(a, b, MAX_MAN_BYTES, number) }
        return
      case 'note':
        this.#notes.push(line.slice('note '.length).replaceAll(INVISIBLE, '').trimEnd())
        return
      case 'coop-release':
        throw malformed('says its format twice', number)
      default: // a fact of a later coop: the format's number changes when readers must understand it
    }
  }

  whole(): Manifest {
    const single = (name: keyof typeof isSingle): string => {
      const value = this.#single.get(name)
      if (value === undefined) throw malformed(`does not say the ${name}`)
      return value
    }
    const version = single('version')
    for (const { target, packing, name } of this.#archives) {
      if (!this.#binaries.has(target)) throw malformed(`does not describe the executable in ${name}`)
      if (name !== archiveName(version, target, packing))
        throw malformed(`gives the archive ${name} out for ${archiveName(version, target, packing)}`)
    }
    for (const target of this.#binaries.keys())
      if (!this.#archives.some((archive) => archive.target === target))
        throw malformed(`names no archive for ${target}`)
    if (this.#binaries.size === 0) throw malformed('describes no executable')
    return {
      version,
      commit: single('commit'),
      time: single('time'),
      kernel: single('kernel'),
      revoked: this.#revoked,
      binaries: this.#binaries,
      archives: this.#archives,
      man: this.#man,
      notes: this.#notes,
    }
  }
}

const isSingle = {
  version: isVersion,
  commit: (text: string) => COMMIT.test(text),
  time: isTime,
  kernel: (text: string) => KERNEL.test(text),
} as const

function file(size: string, sha256: string, most: number, line: number): FileFacts {
  const bytes = COUNT.test(size) ? Number(size) : 0
  if (bytes === 0 || bytes > most || !SHA256.test(sha256))
    throw malformed('has an impossible size or digest', line)
  return { size: bytes, sha256 }
}
