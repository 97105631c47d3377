/**
 * Links that a box leaves in its own root, in place of files that coop makes there.
 *
 * `coop start` gives a stopped box its passwd, group, hosts, hostname, resolv.conf and .gitconfig if they are
 * missing. The box owns every name on the way and can replace each by a link to the host. Coop would write through
 * it as the user, or as root of the host. The control writes through such a link by the host's path.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { image } from './hostile-image.ts'
import { everyone, needed, said, smallImage } from './support.ts'

type Kind = 'host' | 'rootfs' | 'layers'

async function imageOf(t: Scratch, kind: Kind): Promise<string> {
  if (kind === 'host') return 'host'
  const root = smallImage(t)
  if (kind === 'rootfs') return `rootfs:${root}`
  const tar = ['tar', '--owner=0', '--group=0', '-C', root, '-c', '.']
  const layer = new Uint8Array(Bun.spawnSync(tar, { maxBuffer: 1 << 28 }).stdout)
  const name = image(t, [layer])
  said(await t.coop(['image', 'pull', name]))
  return name
}

/** A folder of the host that everybody may write to, and its whole visible state. */
function outside(t: Scratch): { folder: string; look: () => readonly string[] } {
  const folder = t.folder('outside', 0o777)
  const look = (at = folder): string[] =>
    readdirSync(at)
      .sort()
      .flatMap((name) => {
        const path = join(at, name)
        const stat = lstatSync(path)
        const about = `${path} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`
        return stat.isDirectory() ? [about, ...look(path)] : [`${about} ${readFileSync(path, 'utf8')}`]
      })
  t.folder(join(folder, 'coop'), 0o777)
  return { folder, look: () => look() }
}

async function inside(t: Scratch, script: string): Promise<string> {
  const run = await t.coop(['exec', '-n', 'box', '--', '/bin/sh', '-ec', script])
  expect({ script, code: run.code, stderr: run.stderr }).toEqual({ script, code: 0, stderr: '' })
  return run.stdout
}

async function restarted(t: Scratch): Promise<void> {
  said(await t.coop(['stop', '-f', 'box']))
  const { code, stderr } = await t.coop(['start', 'box'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
  expect(await inside(t, 'echo lives')).toBe('lives\n')
}

async function start(t: Scratch, image: string): Promise<void> {
  const { code, stderr } = await t.coop(['-d', '-n', 'box', '--image', image, '--agent', 'cat'])
  if (code !== 0) throw new Error(`The box did not start: ${stderr}`)
}

/** Makes links in places of the box. A place with a mount below it cannot be removed, so it is moved away. */
async function plant(t: Scratch, links: ReadonlyMap<string, string>): Promise<void> {
  const away = 'if [ -e /home/coop/.claude ]; then mv /home/coop /moved; fi; '
  const scripts = [...links].map(
    ([place, target]) =>
      `${place.startsWith('/home') && !place.endsWith('config') ? away : ''}rm -rf ${place}; ln -s ${target} ${place}`,
  )
  await inside(t, scripts.join('\n'))
}

const FILES = ['passwd', 'group', 'hosts', 'hostname', 'resolv.conf'].map((name) => `/etc/${name}`)
const up = '../'.repeat(20)

/** The places that a box of such an image can replace: an /etc that is a mount of its own cannot be replaced. */
const placesOf = (kind: Kind): readonly (readonly string[])[] => [
  ...(kind === 'host' ? [] : [['/etc']]),
  ['/home'],
  ['/home/coop'],
  [...FILES, '/home/coop/.gitconfig'],
]

function attacks(invoker: Invoker, kind: Kind): void {
  // One daemon and one image for all; each test has a box of its own.
  let t: Scratch
  let image: string
  beforeAll(async () => {
    t = await scratch(invoker) // with a .gitconfig
    image = await imageOf(t, kind)
  })
  afterEach(async () => void said(await t.coop(['kill', '-f', 'box'])))
  afterAll(() => t[Symbol.asyncDispose]())

  for (const places of placesOf(kind))
    test(`${places.length > 1 ? 'links at its files' : `a link at ${places[0]}`} lead coop nowhere`, async () => {
      const { folder, look } = outside(t)
      const before = look()
      await start(t, image)
      await inside(t, `mkdir -p ${folder}/coop`) // so that the box's own target exists
      for (const to of [folder, `${up}${folder.slice(1)}`]) {
        const targetOf = (place: string): string =>
          places.length > 1 ? `${to}${place.replaceAll('/', '-')}` : to
        await plant(t, new Map(places.map((place) => [place, targetOf(place)])))
        await restarted(t)
        expect(look()).toEqual(before)
        const links = await inside(t, places.map((place) => `readlink ${place}`).join('\n'))
        expect(links.trim().split('\n')).toEqual(places.map(() => expect.stringContaining('outside')))
      }
    })

  test('a home that leads nowhere is reported', async () => {
    const { folder, look } = outside(t)
    const before = look()
    await start(t, image)
    await plant(t, new Map([['/home', folder]]))
    said(await t.coop(['stop', '-f', 'box']))
    const { code, stderr } = await t.coop(['start', 'box'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/\/home.*a link that leads nowhere/)
    expect(stderr).toMatch(/^hint: /m)
    expect(look()).toEqual(before)
  })

  test('deleted files are made again', async () => {
    await start(t, image)
    const all = await inside(t, 'cat /etc/passwd /etc/hosts /home/coop/.gitconfig')
    expect(all).toMatch(/coop:.*localhost.*Test/s)
    await inside(t, 'rm -rf /home/coop/.gitconfig; echo mine >/etc/hosts')
    await restarted(t)
    const now = await inside(
      t,
      'cat /etc/hosts /home/coop/.gitconfig; stat -c "%a %u %g" /home/coop/.gitconfig',
    )
    expect(now).toMatch(/^mine\n\[user\]\n.*Test.*\n644 0 0\n$/s)
  })
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: the host's path leads through such a link${box.note}`,
    async () => {
      await using t = await scratch(invoker)
      const { folder, look } = outside(t)
      await start(t, 'host')
      await plant(t, new Map([['/home', folder]]))
      said(await t.coop(['stop', '-f', 'box']))
      const path = join(t.dataDir, 'boxes/box/upper/root/home/planted')
      said(await t.run(['sh', '-c', `echo x >${path}`]))
      expect(look().join()).toContain('planted')
    },
  )

  for (const kind of ['host', 'rootfs', 'layers'] as const)
    describe.skipIf(box.missing)(`${kind}${box.note}`, () => attacks(invoker, kind))
})
