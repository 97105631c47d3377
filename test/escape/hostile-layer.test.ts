/** Layers whose names lead out of their folder, and bombs: coop refuses or limits them and changes nothing outside. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archive, type Fake } from '../../src/image/unpack/testing.ts'

import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { image, outside } from './hostile-image.ts'
import { everyone, needed } from './support.ts'

const link = (name: string, to: string): Fake => ({ name, type: '2', link: to, mode: 0o777 })
const up = '../'.repeat(14)

/** By attack: layers for the folder that they try to write to, and the expected message. */
const REFUSED: Readonly<Record<string, [(folder: string) => readonly (readonly Fake[])[], RegExp]>> = {
  'a name with ..': [
    (folder) => [[{ name: `${up}${folder.slice(1)}/planted`, data: 'x' }]],
    /leads out of the image/,
  ],
  'a folder with .. that comes back': [() => [[{ name: 'a/../../b', type: '5' }]], /leads out of the image/],
  'a file behind a link': [
    (folder) => [[link('a', folder), { name: 'a/planted', data: 'x' }]],
    /behind a link/,
  ],
  'a file behind a relative link': [
    (folder) => [[link('a', `${up}${folder.slice(1)}`), { name: 'a/planted', data: 'x' }]],
    /behind a link/,
  ],
  'a file behind two links': [
    (folder) => [[link('a', folder), link('b', 'a'), { name: 'b/planted', data: 'x' }]],
    /behind a link/,
  ],
  'a file behind a link over /proc': [
    () => [[link('a', '/proc/self/cwd'), { name: 'a/planted', data: 'x' }]],
    /behind a link/,
  ],
  'a folder that is a link when it is used': [
    (folder) => [[{ name: 'a/x', data: 'x' }, link('a', folder), { name: 'a/planted', data: 'x' }]],
    /a folder and something else/,
  ],
  'a hard link out': [
    (folder) => [[{ name: 'a', type: '1', link: `${up}${folder.slice(1)}/file` }]],
    /leads out of the image/,
  ],
  'a hard link out by its full path': [
    (folder) => [[{ name: 'a', type: '1', link: `${folder}/file` }]],
    /is not there/,
  ],
  'a hard link behind a link': [
    (folder) => [[link('l', folder), { name: 'a', type: '1', link: 'l/file' }]],
    /./,
  ],
  'a hard link behind a link of the layer below': [
    (folder) => [[link('l', folder)], [{ name: 'a', type: '1', link: 'l/file' }]],
    /is not there|behind a link/,
  ],
  'a whiteout of ..': [() => [[{ name: 'a/.wh...' }]], /hides no file/],
  'a whiteout of nothing': [() => [[{ name: '.wh.' }]], /hides no file/],
  'a whiteout behind a link': [(folder) => [[link('a', folder), { name: 'a/.wh.file' }]], /behind a link/],
  'an opaque mark behind a link': [
    (folder) => [[link('a', folder), { name: 'a/.wh..wh..opq' }]],
    /behind a link/,
  ],
  'the root as a file': [
    () => [
      [
        { name: './', type: '0' },
        { name: '.', data: 'x' },
      ],
    ],
    /replaces the root/,
  ],
  'the root as a link': [(folder) => [[link('./', folder)]], /replaces the root/],
  'a device behind a link': [
    (folder) => [[link('a', folder), { name: 'a/null', type: '3' }]],
    /behind a link/,
  ],
  'an absolute name behind a link': [
    (folder) => [[link('a', folder), { name: '/a/planted', data: 'x' }]],
    /behind a link/,
  ],
  'a name longer than any path': [() => [[{ name: 'x', pax: { path: 'y/'.repeat(3000) } }]], /too long/],
  'an archive that is cut off': [() => [], /ends in the middle/],
}

/** Everything in the folder of images but skeletons, which are links to thousands of folders. */
function imagesOf(t: Scratch): readonly string[] {
  const top = join(t.dataDir, 'images')
  const names = readdirSync(top).filter((name) => !name.startsWith('host-'))
  return names.flatMap((name) => {
    const path = join(top, name)
    const below = lstatSync(path).isDirectory() ? readdirSync(path, { recursive: true }).map(String) : []
    return [name, ...below.map((inner) => `${name}/${inner}`)]
  })
}

const cut = archive([{ name: 'a', data: 'x'.repeat(5000) }]).subarray(0, 2000)

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  describe.skipIf(box.missing)(`with the name of the entry${box.note}`, () => {
    // One daemon for all: what a layer leaves behind fails the test that finds it.
    let t: Scratch
    beforeAll(async () => {
      t = await scratch(invoker, { git: false })
    })
    afterAll(() => t[Symbol.asyncDispose]())

    test.each(Object.entries(REFUSED))('%s is refused', async (_, [make, error]) => {
      const { folder, list } = outside(t)
      const before = list()
      const layers = make(folder)
      const reference = image(t, layers.length ? layers.map((layer) => archive(layer)) : [cut])
      const { code, stderr } = await t.coop(['image', 'pull', '-q', reference])
      expect(stderr).toMatch(error)
      expect(stderr).toMatch(/^coop: .*"/m)
      expect(code).toBe(5)
      expect(list()).toBe(before)
      expect(imagesOf(t).filter((path) => path.includes('.tmp-') || path.includes('records/'))).toEqual([])
    })
  })

  test.skipIf(box.missing)(
    `devices and marks for overlayfs are left out; absolute names are below the root${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { folder, list } = outside(t)
      const before = list()
      const below = archive([
        { name: 'd', type: '5', mode: 0o755 },
        { name: 'd/secret', data: 'below' },
      ])
      const above = archive([
        { name: `${folder}/planted`, data: 'x' },
        { name: 'kmem', type: '3', mode: 0o666 },
        { name: 'disk', type: '4', mode: 0o666 },
        { name: 'hole', type: '3' },
        {
          name: 'e',
          type: '5',
          mode: 0o755,
          pax: { 'SCHILY.xattr.user.overlay.redirect': '/d', 'SCHILY.xattr.trusted.overlay.redirect': '/d' },
        },
      ])
      const { code, stderr } = await t.coop(['image', 'pull', image(t, [below, above])])
      expect(code).toBe(0)
      expect(stderr).toMatch(/"kmem" is left out/)
      expect(stderr).toMatch(/user\.overlay\.redirect.*is left out/)
      expect(list()).toBe(before)
      const top = join(t.dataDir, 'images/layers')
      const names = readdirSync(top, { recursive: true }).map(String)
      expect(names.filter((name) => /(?:kmem|disk|hole)$/.test(name))).toEqual([])
      expect(names.some((name) => name.endsWith(`fs${folder}/planted`))).toBe(true)
    },
  )

  test.skipIf(box.missing)(
    `a layer's root that is closed to the user still gets layers above it${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const closed = archive([{ name: './', type: '5', mode: 0, uid: 1000, gid: 1000 }])
      const { code, stderr } = await t.coop([
        'image',
        'pull',
        '-q',
        image(t, [closed, archive([{ name: 'x' }])]),
      ])
      expect({ code, stderr: stderr.replace(/^warning: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
      expect((await t.coop(['system', 'clean', '-f'])).code).toBe(0)
      const top = join(t.dataDir, 'images/layers')
      expect(readdirSync(top).flatMap((kind) => readdirSync(join(top, kind)))).toEqual([])
    },
  )
})

// This test takes 15 seconds and does not depend on ids, so it runs for one invoker only.
const one = needed(ordinary)
test.skipIf(one.missing)(
  `a bomb of entries stops at a million${one.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    // The same folder again and again: cheap to make and to unpack.
    const folder = archive([{ name: 'a', type: '5', mode: 0o755 }], false)
    const entries = Buffer.alloc(1_000_001 * folder.length, folder)
    const reference = image(t, [Buffer.concat([entries, Buffer.alloc(1024)])])
    const { code, stderr } = await t.coop(['image', 'pull', '-q', reference], { timeoutMs: 110_000 })
    expect(stderr).toMatch(/more than 1000000 entries/)
    expect(code).toBe(5)
  },
  120_000,
)

/** The result of a careless tool with the same archives: the attacks are real. */
describe('positive control', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync('/var/tmp/coop-control-')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test(`tar -P writes behind a link and out of its folder`, () => {
    const target = join(folder, 'target')
    const inside = join(folder, 'inside')
    Bun.spawnSync(['mkdir', target, inside])
    const entries = [
      link('a', target),
      { name: 'a/planted', data: 'x' },
      { name: `${up}${target.slice(1)}/climbed`, data: 'x' },
    ]
    writeFileSync(join(folder, 'x.tar'), archive(entries))
    Bun.spawnSync(['tar', '-P', '-xf', join(folder, 'x.tar'), '-C', inside])
    expect(['planted', 'climbed'].map((name) => existsSync(join(target, name)))).toEqual([true, true])
  })
})
