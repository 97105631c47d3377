import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LONG, testPaths, withoutRoom } from './testing.ts'
import { writeAtomically } from './write-atomically.ts'

describe('a file that is replaced', () => {
  test('is the old one when the disk gets full in the middle, and nothing else is left', () => {
    using paths = testPaths()
    const file = join(paths.top, 'box.json')
    writeFileSync(file, 'old')
    const said = withoutRoom(
      paths.top,
      import.meta.dir,
      `import { writeAtomically } from './write-atomically.ts'
       try { writeAtomically(${JSON.stringify(file)}, 'x'.repeat(${LONG.length}), { sync: true }) } catch (error) { console.log(error.code) }`,
    )
    expect(said).toBe('EFBIG')
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(readdirSync(paths.top).toSorted()).toEqual(['box.json', 'script.ts'])
  })

  test('is whole otherwise, for its owner only', () => {
    using paths = testPaths()
    const file = join(paths.top, 'box.json')
    writeAtomically(file, LONG, { sync: true })
    expect(readFileSync(file, 'utf8')).toBe(LONG)
    expect(Bun.file(file).size).toBe(LONG.length)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(paths.top)).toEqual(['box.json'])
  })

  test('can be replaced by bytes, also without a wait for the disk', () => {
    using paths = testPaths()
    const file = join(paths.top, 'ring')
    writeAtomically(file, 'old', { sync: false })
    writeAtomically(file, Uint8Array.of(0, 255), { sync: false })
    expect([...readFileSync(file)]).toEqual([0, 255])
  })

  test('is not written through a link, which is replaced', () => {
    using paths = testPaths()
    const [file, target] = [join(paths.top, 'link'), join(paths.top, 'target')]
    writeFileSync(target, 'kept')
    symlinkSync(target, file)
    writeAtomically(file, 'new', { sync: true })
    expect([readFileSync(target, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['kept', 'new'])
  })
})
