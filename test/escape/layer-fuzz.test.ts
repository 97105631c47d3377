/**
 * Layers of a few names that are files, folders, links, devices and whiteouts in any order,
 * with links to many places. Each layer is unpacked or refused, and nothing outside changes.
 */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { archive, type Fake, random } from '../../src/image/unpack/testing.ts'
import { scratch } from '../harness/sandbox.ts'
import { image, outside } from './hostile-image.ts'
import { everyone, needed } from './support.ts'

const ROUNDS = Number(process.env.COOP_FUZZ_ROUNDS ?? 25) // for each user, images of up to four layers
const SEED = Number(process.env.COOP_FUZZ_SEED ?? 20_260_102)
const MOST = 5 // entries of a layer: with more, nearly every layer would have a refused one

const NAMES = ['a', 'b', 'a/b', 'b/a', 'a/b/c', './a', '/b', 'a//b', 'a/', 'c', '.', '']
const TYPES = ['0', '0', '5', '5', '2', '2', '1', '3', '6']

function layer(below: (max: number) => number, folder: string): Buffer {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const up = '../'.repeat(14)
  const wild = [
    '..',
    '../a',
    'a/../..',
    `${up}${folder.slice(1)}/planted`,
    `${folder}/planted`,
    '.wh...',
    '.wh.',
  ]
  const targets = [
    ...NAMES,
    folder,
    `${folder}/file`,
    `${up}${folder.slice(1)}/file`,
    '..',
    '/proc/self/root',
    '/',
  ]
  const name = (): string => {
    if (below(40) === 0) return pick(wild)
    const plain = pick(NAMES)
    if (below(6)) return plain
    return below(3) ? plain.replace(/[^/]*$/, '.wh.$&') : `${plain}/.wh..wh..opq`
  }
  const entry = (): Fake => ({
    name: name(),
    type: pick(TYPES),
    link: pick(targets),
    mode: below(0o10000),
    uid: pick([0, 1, 1000, 70_000]),
    ...(below(5) ? {} : { pax: { 'SCHILY.xattr.user.overlay.redirect': '/a', 'SCHILY.xattr.user.x': 'y' } }),
  })
  return archive(
    Array.from({ length: 1 + below(MOST) }, entry).map((one) =>
      one.type === '0' ? { ...one, data: 'x' } : one,
    ),
  )
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(`random layers change nothing outside (seed ${SEED})${box.note}`, async () => {
    const below = random(SEED)
    await using t = await scratch(invoker, { git: false })
    const { folder, list } = outside(t)
    const before = list()
    let [unpacked, refused] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const reference = image(
        t,
        Array.from({ length: 1 + below(4) }, () => layer(below, folder)),
      )
      const { code, stderr } = await t.coop(['image', 'pull', '-q', reference])
      const known = code === 0 || (code === 5 && /^coop: .*\nhint: /m.test(stderr))
      expect({ round, known, stderr: known ? '' : stderr, outside: list() }).toEqual({
        round,
        known: true,
        stderr: '',
        outside: before,
      })
      if (code === 0) unpacked++
      else refused++
      const top = join(t.dataDir, 'images/layers')
      const left = readdirSync(top).flatMap((kind) => readdirSync(join(top, kind)))
      expect(left.filter((name) => name.startsWith('.tmp-'))).toEqual([])
    }
    // Both outcomes must occur, or the names are badly chosen.
    expect(unpacked).toBeGreaterThan(ROUNDS / 20)
    expect(refused).toBeGreaterThan(ROUNDS / 20)
  })
})
