/** A terminal without a box, and a client of it, for tests of feeds. */
import { expect } from 'bun:test'
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TIOCGPTPEER, TIOCSPTLCK } from '../../ffi/abi/constants.ts'
import { syscall } from '../../ffi/libc.ts'
import { heldPipe } from '../../ffi/pipes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { Watcher } from '../../ffi/watcher.ts'
import { FRAME_OUTPUT } from '../protocol/frames.ts'
import { Pty } from '../terminal/pty.ts'
import { Ring } from '../terminal/ring.ts'
import { loadScreens, ScreenKeeper } from '../terminal/screen-keeper.ts'
import type { Outlet } from './feed.ts'

export const SIZE = { columns: 80, rows: 24 }

/** A connection whose other end accepts nothing until told to. */
export class Connection implements Outlet {
  readonly channel = 5
  readonly peer = 42
  readonly terminal = '/dev/pts/7'
  readonly got: { type: number; offset: number; text: string }[] = []
  readonly notices: string[] = []
  readonly answering: (readonly [from: number | undefined, asked: string])[] = []
  answers(from: number | undefined, asked: Uint8Array): void {
    this.answering.push([from, Buffer.from(asked).toString('latin1')])
  }
  queued = 0
  isRemote = false
  /** Resolved with the next frame. */
  next = Promise.withResolvers<void>()
  send(...parts: Uint8Array[]): void {
    const bytes = Buffer.concat(parts)
    const offset = Number(bytes.readBigUInt64BE(7))
    this.got.push({ type: bytes.readUInt8(4), offset, text: bytes.toString('latin1', 15) })
    this.next.resolve()
    this.next = Promise.withResolvers()
  }
  /** Resolves when so many frames have come; a screen may take a while. */
  async has(frames: number): Promise<void> {
    while (this.got.length < frames) await this.next.promise
  }
  notice(text: string): void {
    this.notices.push(text)
  }
  /** Returns the received output, which must have no gap or repetition from `from` on. */
  textFrom(from: number): string {
    let at = from
    let text = ''
    for (const frame of this.got) {
      expect(frame).toMatchObject({ type: FRAME_OUTPUT, offset: at })
      at += frame.text.length
      text += frame.text
    }
    return text
  }
  get types(): number[] {
    return this.got.map(({ type }) => type)
  }
}

/** A terminal of 80x24 without a program. */
export class Opened implements Disposable {
  readonly pty: Pty
  readonly #folder: string
  readonly #slave: number

  private constructor(watcher: Watcher) {
    this.#folder = mkdtempSync(join(tmpdir(), 'coop-feed-'))
    const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
    syscall('ioctl', master, TIOCSPTLCK, new Uint8Array(4))
    this.#slave = syscall('ioctl', master, TIOCGPTPEER, constants.O_RDWR | constants.O_NOCTTY)
    const ring = Ring.create(join(this.#folder, 'ring'), heldPipe())
    this.pty = new Pty(0, master, ring, new ScreenKeeper(ring, join(this.#folder, 'screen'), SIZE), watcher)
  }

  static async open(): Promise<Opened> {
    await loadScreens()
    return new Opened(await Watcher.start())
  }

  [Symbol.dispose](): void {
    this.pty.close({ ended: 'box', code: 0 })
    closeDescriptor(this.#slave)
    rmSync(this.#folder, { recursive: true })
  }
}
