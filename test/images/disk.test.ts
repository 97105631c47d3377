/** Disk space that coop uses, and freeing it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { daemonPid, everyone, expectRefusal, nothingLeft, output, startBox } from '../integration/support.ts'
import { layout, run, tools } from './support.ts'

let folder: string
let image: string

beforeAll(() => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-disk-')
  image = `oci:${layout(folder, [[{ name: 'usr/file', data: 'x'.repeat(2_000_000), uid: 7, gid: 7, mode: 0o600 }]])}`
  run(['chmod', '-R', 'a+rX', folder])
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

interface Use {
  readonly kind: string
  readonly count: number
  readonly bytes: number
  readonly reclaimable: number
}

const use = async (t: Scratch, kind: string): Promise<Use> => {
  const uses = JSON.parse(output(await t.coop(['system', 'df', '--json']))) as Use[]
  const found = uses.find((one) => one.kind === kind)
  if (!found) throw new Error(`nothing of ${kind}`)
  return found
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = tools.missing || can.missing
  const note = `${tools.note}${can.note}`

  test.skipIf(skip)(`clean frees the space that df shows, and keeps used images${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['image', 'pull', '-q', image]))
    const before = await use(t, 'images')
    expect(before).toMatchObject({ count: 1, reclaimable: before.bytes })
    expect(before.bytes).toBeGreaterThanOrEqual(2_000_000)
    const cleaned = JSON.parse(output(await t.coop(['system', 'clean', '-f', '--json']))) as {
      layers: number
      bytes: number
    }
    expect(cleaned).toMatchObject({ layers: 1, bytes: before.bytes })
    expect(await use(t, 'images')).toEqual({ kind: 'images', count: 0, bytes: 0, reclaimable: 0 })
  })

  test.skipIf(skip)(`clean counts what it freed, as du counts it${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['image', 'pull', '-q', image]))
    const layers = join(t.dataDir, 'images/layers')
    const [kind = ''] = readdirSync(layers)
    // As a killed pull leaves one.
    t.write(join(layers, kind, '.tmp-0123/fs/half'), 'x'.repeat(3_000_000))
    const counted = [layers, join(t.cacheDir, 'blobs')]
    const onDisk = () =>
      Number(/^(\d+)\ttotal$/m.exec(run(['du', '-sc', '--block-size=1', ...counted.filter(existsSync)]))?.[1])
    const before = onDisk()
    const cleaned = JSON.parse(output(await t.coop(['system', 'clean', '--all', '-f', '--json']))) as {
      bytes: number
    }
    expect(cleaned.bytes).toBeGreaterThanOrEqual(5_000_000)
    expect(cleaned.bytes).toBe(before - onDisk())
  })

  test.skipIf(skip)(
    `a volume of a box stays; others are removed, with files of any owner${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.settings('[sandbox]\nmounts = ["cache:/srv/cache"]\n')
      await startBox(t)
      const owner = invoker.hasRange ? '5:5' : '0:0'
      const make = `mkdir -m 700 /srv/cache/closed && touch /srv/cache/closed/x && chown -R ${owner} /srv/cache`
      output(await t.coop(['exec', 'sh', '-c', make]))
      expect(JSON.parse(output(await t.coop(['volume', 'ls', '--json'])))).toMatchObject([
        { name: 'cache', usedBy: ['box'] },
      ])
      const refused = await t.coop(['volume', 'rm', 'cache'])
      expectRefusal(refused, { code: 1, sentence: /the box box uses/, hint: /coop kill box/ })
      expect(output(await t.coop(['volume', 'prune']))).toBe('no unused volumes\n')
      output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
      expectRefusal(await t.coop(['volume', 'prune']), {
        code: 2,
        sentence: /refusing to remove anything without confirmation/,
        hint: /--force/,
      })
      expect(output(await t.coop(['volume', 'prune', '-f']))).toContain('removed cache')
      expect(existsSync(join(t.dataDir, 'volumes/volume-cache'))).toBe(false)
      expectRefusal(await t.coop(['volume', 'rm', 'cache']), {
        code: 1,
        sentence: /no volume cache/,
        hint: /volume ls/,
      })
    },
  )

  test.skipIf(skip)(`prune removes everything${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['image', 'pull', '-q', image]))
    t.settings('[sandbox]\nmounts = ["cache:/srv/cache"]\n')
    await startBox(t)
    output(await t.coop(['snapshot', 'create', 'one']))
    expect(await use(t, 'snapshots')).toMatchObject({ count: 1 })
    process.kill((await daemonPid(t)) ?? 0, 'SIGKILL') // a box without a daemon is removed, too
    const said = output(await t.coop(['system', 'prune', '-f']))
    expect(said).toMatch(/^removed 1 box, 1 snapshot, 1 image, 1 volume; freed .*M\n$/)
    const kinds = ['images', 'downloads', 'volumes', 'persistent', 'snapshots', 'boxes']
    for (const kind of kinds) expect({ kind, count: (await use(t, kind)).count }).toEqual({ kind, count: 0 })
  })
})
