import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { abandonFiles, NewFile, removeLeftovers, replaceByLink } from './new-file.ts'

let folder: string
let target: string
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/coop-new-file-')
  target = join(folder, 'coop')
  writeFileSync(target, 'old', { mode: 0o754 })
  chmodSync(target, 0o754)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const SCRIPT = '#!/bin/sh\necho new\n'

describe.each([false, true])('a new file (with a name: %p)', (named) => {
  const made = () => new NewFile(folder, named)

  test('takes the place of the old one in one step, with its owner and mode', () => {
    using file = made()
    file.write(bytes('ne'))
    file.write(bytes('w'))
    expect(readFileSync(target, 'utf8')).toBe('old')
    file.finish(statSync(target))
    file.replace(target)
    expect(readFileSync(target, 'utf8')).toBe('new')
    expect(statSync(target).mode & 0o7777).toBe(0o754)
    expect(readdirSync(folder)).toEqual(['coop'])
  })

  test('runs before it has the name', () => {
    using file = made()
    file.write(bytes(SCRIPT))
    file.finish({ ...statSync(target), mode: 0o755 })
    expect(Bun.spawnSync([file.path], { env: {} }).stdout.toString()).toBe('new\n')
    expect(readFileSync(target, 'utf8')).toBe('old')
  })

  test('that is given up leaves nothing', () => {
    {
      using file = made()
      file.write(bytes('half'))
      expect(readdirSync(folder).length).toBe(named ? 2 : 1)
    }
    expect(readdirSync(folder)).toEqual(['coop'])
    expect(readFileSync(target, 'utf8')).toBe('old')
  })

  test('gets no more rights than to read, write and run', () => {
    using file = made()
    file.finish({ ...statSync(target), mode: 0o104755 })
    file.replace(target)
    expect(statSync(target).mode & 0o7777).toBe(0o755)
  })
})

test('a process that is interrupted takes its files with it', () => {
  using file = new NewFile(folder, true)
  file.write(bytes('half'))
  expect(readdirSync(folder).length).toBe(2)
  abandonFiles()
  expect(readdirSync(folder)).toEqual(['coop'])
})

test('leftovers of killed updates go, files of a running one and of others stay', () => {
  const leftover = join(folder, `.coop-update-${'0'.repeat(32)}`)
  writeFileSync(leftover, 'half')
  writeFileSync(join(folder, '.coop-update-mine'), 'not ours')
  using running = new NewFile(folder, true)
  running.write(bytes('x'))
  removeLeftovers(folder)
  expect(existsSync(leftover)).toBe(false)
  expect(readdirSync(folder).length).toBe(3)
  running.finish(statSync(target))
  removeLeftovers(folder)
  expect(readdirSync(folder).length).toBe(3)
})

test('a link takes the place of a file, and leaves no other name', () => {
  const kept = join(folder, 'kept')
  writeFileSync(kept, 'kept')
  replaceByLink(kept, target)
  expect(readFileSync(target, 'utf8')).toBe('kept')
  expect(statSync(kept).nlink).toBe(2)
  replaceByLink(kept, target) // they are one file already
  expect(readdirSync(folder).toSorted()).toEqual(['coop', 'kept'])
  linkSync(kept, join(folder, 'other'))
  expect(() => replaceByLink('/proc/version', target)).toThrow(/EXDEV|EPERM/)
  expect(readdirSync(folder).toSorted()).toEqual(['coop', 'kept', 'other'])
})
