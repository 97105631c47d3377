/**
 * The keys themselves. Those of files and commands are read when they are needed and kept for a short time. Those of a
 * caller's environment are nowhere else: the next daemon has no such environment, while agents go on without a client. So
 * they are kept in a file of the runtime folder, which no box can have, which systemd keeps in memory and removes with the
 * login; for as long as their box is there.
 */
import { rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import type { KeySource } from '../config/broker-values.ts'
import { sourceText } from '../config/broker-values.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { resolvedPath } from '../host/host-place.ts'
import { findSystemProgram, isWritten, SYSTEM_PATH, trustedPath } from '../host/programs.ts'
import { type Fields, isFields, type Kind, readable, readStoredFile, stamp } from '../store/kind.ts'

const MAX_KEY = 8192 // bytes
const KEPT_MS = 60_000 // of a file or a command; a key that the provider refuses is read again at once
const COMMAND_MS = 20_000 // a password manager may ask its user
const KEY = /^[\x21-\x7e]+$/

type ByBox = Readonly<Record<string, Readonly<Record<string, string>>>>

interface KeyFile {
  readonly boxes: ByBox
}

const areTexts = (value: unknown): boolean =>
  isFields(value) && Object.values(value).every((one) => typeof one === 'string')

const keyFile: Kind<KeyFile> = {
  name: 'broker-keys',
  version: 1,
  migrations: {},
  parse: ({ boxes }: Fields) =>
    isFields(boxes) && Object.values(boxes).every(areTexts) ? { boxes: boxes as ByBox } : undefined,
}

/** There is no key; the sentence says why, and never what a command or a file has said. */
export class NoKey extends Error {
  override readonly name = 'NoKey'
}

export interface KeysHouse {
  readonly runtimeDir: string
  /** Places that boxes write. */
  writable(): readonly string[]
  log(event: string, fields?: Readonly<Record<string, unknown>>): void
}

export class Keys {
  readonly #house: KeysHouse
  #brought: Map<string, Readonly<Record<string, string>>> | undefined
  readonly #read = new Map<string, { readonly at: number; readonly key: Promise<string> }>()

  constructor(house: KeysHouse) {
    this.#house = house
  }

  get #file(): string {
    return join(this.#house.runtimeDir, 'broker-keys.json')
  }

  get #boxes(): Map<string, Readonly<Record<string, string>>> {
    this.#brought ??= new Map(Object.entries(readable(readStoredFile(keyFile, this.#file))?.boxes ?? {}))
    return this.#brought
  }

  /** Takes over keys of a caller's environment. Those of earlier callers stay where this one has none. */
  bring(box: string, keys: Readonly<Record<string, string>>): void {
    if (!Object.keys(keys).length) return
    const before = this.#boxes.get(box) ?? {}
    if (Object.entries(keys).every(([name, value]) => before[name] === value)) return
    this.#boxes.set(box, { ...before, ...keys })
    this.write()
  }

  forget(box: string): void {
    if (this.#boxes.delete(box)) this.write()
  }

  /** Forgets all boxes but these. */
  keepOnly(boxes: ReadonlySet<string>): void {
    for (const box of [...this.#boxes.keys()]) if (!boxes.has(box)) this.forget(box)
  }

  /** Writes the file, which may have gone with its folder. */
  write(): void {
    try {
      if (!this.#boxes.size) return rmSync(this.#file, { force: true })
      writeAtomically(this.#file, stamp(keyFile, { boxes: Object.fromEntries(this.#boxes) }), { sync: false })
    } catch (error) {
      this.#house.log('broker-keys-not-written', { error: String(error) }) // this daemon has them still
    }
  }

  /** Whether a key of this kind is there; for files and commands it is not looked. */
  has(box: string, source: KeySource): boolean {
    return source.from !== 'env' || this.#boxes.get(box)?.[source.name] !== undefined
  }

  /** `path`: the PATH of the box's caller, for a command. Rejects with {@link NoKey}. */
  async keyOf(box: string, source: KeySource, path: string | undefined): Promise<string> {
    if (source.from === 'env') {
      const key = this.#boxes.get(box)?.[source.name]
      if (key === undefined)
        throw new NoKey(
          `${source.name} was not set where the box was started; set it, then: coop restart ${box}`,
        )
      return checked(key, source)
    }
    const name = sourceText(source)
    const now = performance.now()
    const known = this.#read.get(name)
    if (known && now - known.at < KEPT_MS) return known.key
    const key = source.from === 'file' ? this.#fromFile(source) : this.#fromCommand(source, path)
    this.#read.set(name, { at: now, key })
    key.catch(() => this.#read.delete(name))
    return key
  }

  /** The provider has refused the key: perhaps a file or a command has a new one. */
  refused(source: KeySource): void {
    this.#read.delete(sourceText(source))
  }

  async #fromFile(source: KeySource & { readonly from: 'file' }): Promise<string> {
    const writable = this.#house.writable()
    const path = source.path.startsWith('~/') ? join(homedir(), source.path.slice(2)) : source.path
    let bytes: Uint8Array | undefined
    try {
      const place = resolvedPath(path, writable, 'E_CONFIG')
      if (isWritten(place, writable)) throw new NoKey(`${sourceText(source)} is where a box can write`)
      bytes = readInside(dirname(place), basename(place), MAX_KEY + 1)
    } catch (error) {
      if (error instanceof NoKey) throw error
      throw new NoKey(`${sourceText(source)} cannot be read on this machine`)
    }
    return checked(Buffer.from(bytes ?? []).toString('utf8'), source)
  }

  async #fromCommand(source: KeySource & { readonly from: 'command' }, path = ''): Promise<string> {
    const failed = new NoKey('the command for the key has failed on this machine (coop system logs)')
    // timeout(1) also ends it when the daemon was killed meanwhile.
    const timeout = findSystemProgram('timeout')
    const limit = timeout ? [timeout, '-s', 'KILL', `${COMMAND_MS / 1000}`] : []
    const child = Bun.spawn([...limit, '/bin/sh', '-c', source.command], {
      cwd: '/',
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
      env: { ...process.env, PATH: trustedPath(path, this.#house.writable()) || SYSTEM_PATH },
      timeout: COMMAND_MS,
      killSignal: 'SIGKILL',
    })
    const said: Uint8Array[] = []
    let size = 0
    for await (const piece of child.stdout) {
      size += piece.length
      if (size > MAX_KEY) {
        child.kill('SIGKILL')
        break
      }
      said.push(piece)
    }
    const code = await child.exited
    if (code !== 0 || size > MAX_KEY) {
      this.#house.log('broker-command-failed', {
        code,
        ...(size > MAX_KEY ? { reason: 'too much output' } : {}),
      })
      throw failed
    }
    return checked(Buffer.concat(said).toString('utf8'), source)
  }
}

function checked(text: string, source: KeySource): string {
  const key = text.trim()
  if (key.length >= 8 && key.length <= MAX_KEY && KEY.test(key)) return key
  const where = source.from === 'command' ? 'the output of the command' : sourceText(source)
  throw new NoKey(`${where} is not a key: one word of 8 to ${MAX_KEY} characters is expected`)
}
