/** Files whose sizes do not fit into 32 bits: 5 GB of data, and holes beyond the digits of a tar header. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import { archive, type Fake } from '../../src/image/unpack/testing.ts'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import type { Started } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { everyone, output } from '../integration/support.ts'
import { MemoryDisk } from './memory-disk.ts'
import { publish } from './publish.ts'
import { RealRegistry, run, tools } from './support.ts'

const PIECE = 4 << 20 // bytes; each is a zstd frame of 147 bytes
const LARGE = 5 * 2 ** 30
const MEMORY_KB = 7 * 2 ** 20 // the data is really written, into memory: no disk is as quick
const MAX_RSS_KB = 120 * 1024 // of the worker, for layers of any size
const FAR = 10_000_000_000 // beyond 11 octal digits

const available = (): number =>
  Number(/MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
const room = needsAll({ '7 GiB of memory': available() > MEMORY_KB })

let registry: RealRegistry

async function put(tag: string, parts: Iterable<{ plain: Uint8Array; packed: Uint8Array }>): Promise<void> {
  const hash = new Bun.CryptoHasher('sha256')
  const packed: Uint8Array[] = []
  for (const part of parts) {
    hash.update(part.plain)
    packed.push(part.packed)
  }
  const diffs = [`sha256:${hash.digest('hex')}`]
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffs } }
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd'
  await publish(registry.host, 'large', tag, config, [{ mediaType, bytes: Buffer.concat(packed) }])
}

const part = (plain: Uint8Array) => ({ plain, packed: zstdCompressSync(plain) })

function* fiveGigabytes() {
  yield part(archive([{ name: 'large', size: LARGE }], false))
  const zeros = part(new Uint8Array(PIECE))
  for (let at = PIECE; at < LARGE; at += PIECE) yield zeros
  const last = new Uint8Array(PIECE)
  last.set(Buffer.from('end'), PIECE - 3)
  yield part(last)
  yield part(archive([{ name: 'after', data: 'x' }]))
}

const FAR_HOLE: Fake = {
  name: 'far',
  data: 'data',
  pax: { 'GNU.sparse.map': `${FAR},4`, 'GNU.sparse.size': String(FAR + 4) },
}

beforeAll(async () => {
  if (tools.missing) return
  registry = await RealRegistry.start()
  await put('sparse', [part(archive([FAR_HOLE, { name: 'after', data: 'x' }]))])
})
afterAll(async () => {
  if (!tools.missing) await registry[Symbol.asyncDispose]()
})

/** A file of the only layer. */
function unpacked(t: Scratch, name: string): string {
  return run(['find', `${t.dataDir}/images/layers/`, '-path', `*/fs/${name}`]).trim()
}

function tail(path: string, size: number): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(size)
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, size, statSync(path).size - size))
  } finally {
    closeSync(fd)
  }
}

/** The peak memory of a command's worker. */
async function peakOfWorker(client: Started): Promise<number> {
  let peak = 0
  let ended = false
  const pid = await client.pid()
  void client.process.exited.then(() => {
    ended = true
  })
  while (!ended) {
    try {
      const [worker = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
      const status = readFileSync(`/proc/${worker}/status`, 'utf8')
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
    } catch {
      // The process does not exist yet, or has ended.
    }
    await Bun.sleep(20)
  }
  return peak
}

test.skipIf(tools.missing || room.missing)(
  `5 GB in one file, in constant memory${tools.note}${room.note}`,
  async () => {
    await put('data', fiveGigabytes())
    await using t = await scratch(ordinary, { git: false })
    using _disk = new MemoryDisk(t.dataDir, ordinary, '6g')
    const pull = t.startCoop(['image', 'pull', '-q', `${registry.host}/large:data`])
    const peak = await peakOfWorker(pull)
    output(await pull.finished())
    expect(statSync(unpacked(t, 'large')).size).toBe(LARGE)
    expect(tail(unpacked(t, 'large'), 5)).toBe('\0\0end')
    expect(tail(unpacked(t, 'after'), 1)).toBe('x')
    expect(peak).toBeGreaterThan(20 * 1024)
    expect(peak).toBeLessThan(MAX_RSS_KB)
  },
  120_000,
)

describe.each(everyone)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  test.skipIf(tools.missing || can.missing)(
    `a hole of 10 GB takes no room${tools.note}${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      output(await t.coop(['image', 'pull', '-q', `${registry.host}/large:sparse`]))
      const { size, blocks } = statSync(unpacked(t, 'far'))
      expect(size).toBe(FAR + 4)
      expect(blocks).toBeLessThan(100)
      expect(tail(unpacked(t, 'far'), 5)).toBe('\0data')
      expect(tail(unpacked(t, 'after'), 1)).toBe('x')
    },
  )
})
