/** Reading any layer ends soon, and its only errors are CoopErrors. */
import { expect, test } from 'bun:test'
import { CoopError } from '../../core/errors.ts'
import { archive, folder, random, readAll, resum, shell } from './testing.ts'

const SEED = 20_260_101
const ROUNDS = 4000
const TIME_BOX_MS = 3500 // a slow machine runs fewer rounds

test('damaged archives of every format', async () => {
  using dir = folder()
  shell(
    dir.path,
    `mkdir t; cd t; echo x >a; ln a b; ln -s a c; truncate -s 100000 s; echo y >>s; mkdir -p ${'d/'.repeat(70)}`,
  )
  const seeds = ['gnu', 'pax --sparse-version=0.1', 'pax --sparse-version=1.0', 'v7'].map((format) =>
    shell(dir.path, `cd t; tar --format=${format} -Sc a b c s; true`),
  )
  seeds.push(
    archive([
      { name: 'x', pax: { 'SCHILY.xattr.user.a': 'b', path: 'y'.repeat(300), mtime: '1.5' }, data: 'data' },
    ]),
  )
  const below = random(SEED)
  const end = performance.now() + TIME_BOX_MS
  let refused = 0
  for (let round = 0; round < ROUNDS && performance.now() < end; round++) {
    const bytes = Buffer.from(seeds[below(seeds.length)] ?? '')
    for (let changes = 1 + below(6); changes > 0; changes--) {
      const at = below(Math.min(bytes.length, 4096))
      if (below(3) === 0) bytes.write('9999 =\n0\0\xff-1,'.slice(below(12)), at, 'latin1')
      else bytes[at] = below(256)
    }
    // Correct most checksums, because wrong ones would hide the code behind them.
    if (below(4))
      for (let at = 0; at + 512 <= bytes.length; at += 512)
        if (isHeader(bytes, at)) resum(bytes.subarray(at, at + 512))
    try {
      await readAll(bytes.subarray(0, below(5) ? bytes.length : below(bytes.length)), 1 + below(5000))
    } catch (error) {
      if (!(error instanceof CoopError)) throw error
      refused++
    }
  }
  expect(refused).toBeGreaterThan(10)
})

const isHeader = (bytes: Buffer, at: number): boolean => bytes[at + 257] === 0x75 || bytes[at + 156] === 0x53
