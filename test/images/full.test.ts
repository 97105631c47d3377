/** A full disk: the error names it, no data is lost, and cleaning frees the space that it reports. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, output } from '../integration/support.ts'
import { MemoryDisk } from './memory-disk.ts'
import { smallRoot } from './roots.ts'
import { layout, RealRegistry, run, tools } from './support.ts'

const MiB = 2 ** 20
const LOCKS = 256 * 1024 // bytes: folders and lock files that stay

let registry: RealRegistry
let folder: string
let root: string

beforeAll(async () => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-full-')
  registry = await RealRegistry.start()
  const noise = crypto.getRandomValues(new Uint8Array(65_536)) // gzip looks back 32 KiB, so a repetition at a larger distance does not compress
  const data = Buffer.concat(Array(320).fill(noise))
  const small = { name: 'small', data: 'x', uid: 5, gid: 5 }
  await registry.push(layout(folder, [[small], [{ name: 'big', data }]]), 'big:1')
  await registry.push(layout(folder, [[small]]), 'small:1')
  root = `oci:${layout(folder, [smallRoot(folder)])}`
  run(['chmod', '-R', 'a+rX', folder])
}, 60_000)
afterAll(async () => {
  if (tools.missing) return
  await registry[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const clean = async (t: Scratch): Promise<number> =>
  (JSON.parse(output(await t.coop(['system', 'clean', '-f', '--all', '--json']))) as { bytes: number }).bytes

function halfMade(t: Scratch): string[] {
  const top = join(t.dataDir, 'images')
  return readdirSync(top, { recursive: true })
    .map(String)
    .filter((name) => name.includes('.tmp-'))
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = tools.missing || can.missing
  const note = `${tools.note}${can.note}`
  const pull = (t: Scratch, name: string) => t.coop(['image', 'pull', '-q', `${registry.host}/${name}:1`])

  test.skipIf(skip)(`while downloading: the pull continues when there is room${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using cache = new MemoryDisk(t.cacheDir, invoker, '8m')
    expectRefusal(await pull(t, 'big'), {
      code: 1,
      sentence: /no space is left for the download/,
      hint: /COOP_CACHE_DIR/,
    })
    expect(cache.used).toBeGreaterThan(7 * MiB)
    cache.resize('64m')
    output(await pull(t, 'big'))
    expect(await clean(t)).toBeGreaterThan(40 * MiB)
    expect(cache.used).toBeLessThan(LOCKS)
  })

  test.skipIf(skip)(
    `while unpacking: other images stay usable, and clean frees the space that it reports${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using disk = new MemoryDisk(t.dataDir, invoker, '8m')
      const refusal = {
        code: 1,
        sentence: /no space is left for the image \(at "big"\)/,
        hint: /COOP_DATA_DIR/,
      }
      expectRefusal(await pull(t, 'big'), refusal)
      expect(halfMade(t)).toEqual([])
      await waitUntil(() => disk.used < MiB, 'the end of the half layer') // its init may have had a file open
      output(await pull(t, 'small'))
      expectRefusal(await pull(t, 'big'), refusal)
      disk.resize('64m')
      output(await pull(t, 'big'))
      using cache = new MemoryDisk(t.cacheDir, invoker, '64m')
      output(await pull(t, 'small')) // again, into the fresh cache
      const before = disk.used + cache.used
      const said = await clean(t)
      const freed = before - disk.used - cache.used
      expect(freed).toBeGreaterThanOrEqual(said)
      expect(freed - said).toBeLessThan(LOCKS)
      expect(disk.used).toBeLessThan(LOCKS)
      output(await pull(t, 'small'))
    },
  )

  test.skipIf(skip)(
    `while a step runs, with any output: the error names it, and the next build finishes${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using disk = new MemoryDisk(t.dataDir, invoker, '40m')
      const build = async (...setup: readonly string[]) => {
        t.write('coop.toml', `[sandbox]\nimage = ${JSON.stringify(root)}\nsetup = ${JSON.stringify(setup)}\n`)
        return await t.coop(['build', '-q', '--trust'])
      }
      const fill =
        'dd if=/dev/zero of=/zeros bs=1M; i=0; while [ $i -lt 30000 ]; do echo "line $i of many"; i=$((i+1)); done'
      for (const end of ['', '; exit 7']) {
        const full = await build('echo one >/one', fill + end)
        expectRefusal(full, {
          code: 1,
          sentence: /no space is left for the files of step 2 of setup/,
          hint: /coop system clean.*COOP_DATA_DIR/,
        })
        expect(full.stderr).not.toContain(join(t.dataDir, 'images'))
        expect(halfMade(t)).toEqual([])
        expect(disk.used).toBeLessThan(20 * MiB)
      }
      output(await build('echo one >/one', 'echo two >/two'))
      await clean(t)
      expect(disk.used).toBeLessThan(LOCKS)
      output(await build('echo one >/one', 'echo two >/two'))
    },
  )
})
