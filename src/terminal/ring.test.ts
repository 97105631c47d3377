import { afterEach, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { heldPipe, splice } from '../../ffi/pipes.ts'
import { AHEAD, RING_SIZE, Ring } from './ring.ts'
import { MAX_LEASE_MS, RingFile } from './ring-file.ts'

const HEADER = 128
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ring-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const numbered = (from: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (from + i) % 251))

test.each([1, 2, 63, 64, 65, 4096])('keeps the newest bytes when it wraps around in steps of %d', (step) => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  ring.append(numbered(0, RING_SIZE - 100))
  while (ring.offset < RING_SIZE + 200) ring.append(numbered(ring.offset, step))
  const { from, bytes } = ring.read()
  expect(from).toBe(ring.offset - RING_SIZE)
  expect(bytes.equals(numbered(from, RING_SIZE))).toBe(true)
  ring.close()
})

test('takes more than it holds and keeps the end', () => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  ring.append(numbered(0, 3))
  ring.append(numbered(3, RING_SIZE * 2))
  expect(ring.offset).toBe(RING_SIZE * 2 + 3)
  expect(ring.read().bytes.equals(numbered(RING_SIZE + 3, RING_SIZE))).toBe(true)
  ring.close()
})

test('is the same for who opens it later', () => {
  const first = Ring.create(join(folder, 'r'), heldPipe())
  first.append(Buffer.from('before'))
  first.close()
  const second = Ring.open(join(folder, 'r'), heldPipe())
  second.append(Buffer.from(' and after'))
  expect(second.read(3).bytes.toString()).toBe('ore and after')
  second.close()
})

test('that is damaged starts anew', () => {
  writeFileSync(join(folder, 'r'), 'no ring at all')
  const ring = Ring.open(join(folder, 'r'), heldPipe())
  expect(ring.offset).toBe(0)
  ring.append(Buffer.from('x'))
  expect(ring.read().bytes.toString()).toBe('x')
  ring.close()
})

describe('after a kill', () => {
  const path = (): string => join(folder, 'r')

  /** The state of pipe and header when the daemon dies; `stored` of `size` bytes have reached the file. */
  function crash(size: number, underWay: number, stored: number): { pipe: number; keep: number } {
    const pipe = heldPipe()
    const ring = Ring.create(path(), pipe)
    ring.append(Buffer.from('before '))
    const keep = openSync(`/proc/self/fd/${pipe}`, 'r+') // init's copy
    writeSync(pipe, 'x'.repeat(size))
    if (stored) {
      const file = openSync(path(), 'r+')
      splice(pipe, file, stored, HEADER + 7)
      closeSync(file)
    }
    if (underWay) {
      const header = Buffer.alloc(8)
      header.writeBigUInt64LE(BigInt(underWay))
      const file = openSync(path(), 'r+')
      writeSync(file, header, 0, 8, 24)
      closeSync(file)
    }
    ring.close()
    return { pipe: openSync(`/proc/self/fd/${keep}`, 'r+'), keep }
  }

  const cases = [
    ['output had reached the pipe', 1_000, 0, 0],
    ['the header was written', 1_000, 1_000, 0],
    ['a part was stored', 1_000, 1_000, 300],
    ['all of it was stored', 1_000, 1_000, 1_000],
    ['nothing was under way', 0, 0, 0],
  ] as const

  test.each(cases)('when %s nothing is lost or doubled', (_, size, underWay, stored) => {
    const { pipe, keep } = crash(size, underWay, stored)
    const ring = Ring.open(path(), pipe)
    const [from, to] = [heldPipe(), heldPipe()]
    writeSync(from, ' after')
    while (ring.take(from, 65_536));
    expect(ring.read().bytes.toString()).toBe(`before ${'x'.repeat(size)} after`)
    expect(ring.offset).toBe(7 + size + 6)
    ring.close()
    for (const fd of [from, to, keep]) closeSync(fd)
  })
})

test('takes what a terminal has, around the end of the file, and gives it back', () => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  const from = heldPipe()
  let at = 0
  while (at < RING_SIZE * 2) {
    const size = 1 + ((at * 7) % 30_000)
    writeSync(from, numbered(at, size))
    for (let got = 0; got < size; ) {
      const taken = ring.take(from, 10_000)
      if (!taken || taken === 'gone' || 'leasedFor' in taken) throw new Error('it has more')
      const { bytes } = taken
      expect(bytes.equals(numbered(at + got, bytes.length))).toBe(true)
      got += bytes.length
    }
    at += size
  }
  expect(ring.take(from, 1)).toBeUndefined()
  const { from: start, bytes } = ring.read()
  expect(bytes.equals(numbered(start, RING_SIZE))).toBe(true)
  ring.close()
  closeSync(from)
})

test('a file that was deleted can be had once more', () => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  ring.append(Buffer.from('text'))
  rmSync(join(folder, 'r'))
  ring.moveTo(join(folder, 'r'))
  ring.append(Buffer.from(' and more'))
  const other = Ring.open(join(folder, 'r'), heldPipe())
  expect(other.read().bytes.toString()).toBe('text and more')
  ring.close()
  other.close()
})

describe('with a client that reads by itself', () => {
  const path = (): string => join(folder, 'r')
  let ring: Ring
  let client: RingFile
  let terminal: number
  let clientFd: number

  beforeEach(() => {
    const pipe = heldPipe()
    ring = Ring.create(path(), pipe)
    clientFd = openSync(path(), 'r+')
    const opened = RingFile.open(clientFd, pipe)
    if (!opened) throw new Error('no ring')
    client = opened
    terminal = heldPipe()
  })
  afterEach(() => {
    setSystemTime()
    ring.close()
    closeSync(clientFd)
    closeSync(terminal)
  })

  function clientReads(text: string): string {
    writeSync(terminal, text)
    if (!client.tryLock()) throw new Error('locked')
    const bytes = client.take(terminal, 65_536)
    client.unlock()
    return String(bytes)
  }

  const daemonReads = (): unknown => {
    const taken = ring.take(terminal, 65_536)
    if (!taken || taken === 'gone' || 'leasedFor' in taken) return taken
    return [taken.bytes.toString(), taken.byClient]
  }

  test('each byte is had once, with who read it', () => {
    expect(clientReads('one ')).toBe('one ')
    writeSync(terminal, 'two')
    expect(daemonReads()).toEqual(['one ', true])
    expect(daemonReads()).toEqual(['two', false])
    expect(daemonReads()).toBeUndefined()
    expect(clientReads(' three')).toBe(' three')
    expect(ring.takeKnown(10)?.toString()).toBe(' th')
    expect(daemonReads()).toEqual(['ree', true])
    expect(ring.read().bytes.toString()).toBe('one two three')
  })

  test('what coop says does not come before what the client has read', () => {
    clientReads('first ')
    expect(ring.append(Buffer.from('then'))).toBe(false)
    daemonReads()
    expect(ring.append(Buffer.from('then'))).toBe(true)
    expect(ring.read().bytes.toString()).toBe('first then')
  })

  test('reading is left to it as long as it has a lease, unless that was taken back', () => {
    writeSync(terminal, 'text')
    ring.sharedTo = 100
    client.look()
    client.lease(MAX_LEASE_MS)
    expect(daemonReads()).toMatchObject({ leasedFor: expect.any(Number) })
    ring.sharedTo = 0
    expect(daemonReads()).toEqual(['text', false])
    ring.sharedTo = 100
    expect(daemonReads()).toMatchObject({ leasedFor: expect.any(Number) })
    client.lease(0)
    expect(daemonReads()).toBeUndefined()
  })

  test.each([
    ['is over', MAX_LEASE_MS + 1],
    ['is of a clock that was set back', -3_600_000],
  ])('a lease that %s is none', (_, later) => {
    ring.sharedTo = 100
    client.lease(MAX_LEASE_MS)
    setSystemTime(Date.now() + later)
    expect(daemonReads()).toBeUndefined()
  })

  test('one that is killed between two steps leaves every byte', () => {
    clientReads('before ')
    const [pipe = -1] = ring.descriptors
    writeSync(pipe, 'inside') // it had got this far
    writeSync(terminal, ' after')
    expect([daemonReads(), daemonReads(), daemonReads()]).toEqual([
      ['before ', true],
      ['inside', false],
      [' after', false],
    ])
  })

  test('it can be ahead and nothing that the daemon still offers is overwritten', () => {
    ring.append(numbered(0, RING_SIZE))
    for (let at = RING_SIZE; at < RING_SIZE + AHEAD; at += 4096) clientReads('x'.repeat(4096))
    expect(ring.start).toBe(0)
    expect(ring.read().bytes.equals(numbered(0, RING_SIZE))).toBe(true)
  })

  test('it learns that the file is another one now', () => {
    clientReads('text')
    rmSync(path())
    ring.moveTo(path())
    expect(client.look()).toBe(false)
    expect(client.tryLock()).toBe(false)
    daemonReads()
    ring.append(Buffer.from(' and more'))
    expect(Ring.contents(path())?.toString()).toBe('text and more')
  })

  test.each([
    ['works', false],
    ['was stopped', true],
  ])('one with the lock that %s is waited for', async (_, isStopped) => {
    const script = `
      import { openSync } from 'node:fs'
      import { tryLockRecord, unlockRecord } from '${import.meta.dir}/../../ffi/record-lock.ts'
      const fd = openSync('${path()}', 'r+')
      console.log(tryLockRecord(fd))
      if (${isStopped}) process.kill(process.pid, 'SIGSTOP')
      else await new Promise((resolve) => setTimeout(resolve, 5))
      unlockRecord(fd)
      console.log('unlocked')
    `
    const other = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
    const reader = other.stdout.getReader()
    const { value } = await reader.read()
    expect(Buffer.from(value ?? []).toString()).toContain('true')
    writeSync(terminal, 'text')
    expect(daemonReads()).toEqual(['text', false])
    expect(await other.exited).toBe(0)
  })
})
