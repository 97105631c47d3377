import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, findSystemProgram, trustedPath } from './programs.ts'

let root: string
const at = (path: string): string => join(root, path)

function program(path: string, mode = 0o755): string {
  mkdirSync(join(at(path), '..'), { recursive: true })
  writeFileSync(at(path), '#!/bin/sh\n')
  chmodSync(at(path), mode)
  return at(path)
}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coop-programs-')))
  program('bin/it')
  program('project/node_modules/.bin/it')
  program('plain/it', 0o644)
  mkdirSync(at('folder/it'), { recursive: true })
  mkdirSync(at('links'))
  symlinkSync(at('project/node_modules/.bin/it'), at('links/it'))
  symlinkSync(at('project/node_modules/.bin'), at('linked'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('a program', () => {
  const find = (...folders: string[]) => findProgram('it', folders.join(':'), [at('project')])

  test('is found in an absolute folder', () => {
    expect(find(at('nowhere'), at('bin'))).toBe(at('bin/it'))
  })

  test.each(['', '.', 'bin', './bin', '..'])('is not looked for in the relative folder %p', (folder) => {
    expect(find(folder)).toBeUndefined()
    expect(find(folder, at('bin'))).toBe(at('bin/it'))
  })

  test('is not taken from where a box writes, by no link either', () => {
    for (const folder of ['project/node_modules/.bin', 'linked', 'links'])
      expect(find(at(folder), at('bin'))).toBe(at('bin/it'))
    // No box writes there. The place is named, not the link, which may lead elsewhere by then.
    expect(findProgram('it', at('linked'), [])).toBe(at('project/node_modules/.bin/it'))
  })

  test('nor is it taken through a link of a box that leads out', () => {
    symlinkSync(at('bin'), at('project/out'))
    symlinkSync(at('bin/it'), at('project/it'))
    symlinkSync(at('project/it'), at('links/other'))
    expect(trustedPath(at('project/out'), [at('project')])).toBe('')
    expect(find(at('project/out'), at('project'))).toBeUndefined()
    expect(findProgram('other', at('links'), [at('project')])).toBeUndefined()
    // Positive control: with no box that writes there, both are found.
    expect(trustedPath(at('project/out'), [])).toBe(at('bin'))
    expect(findProgram('other', at('links'), [])).toBe(at('links/other'))
  })

  test('is an executable file', () => {
    expect(find(at('plain'), at('folder'), at('bin'))).toBe(at('bin/it'))
  })

  test('has no slash in its name', () => {
    expect(findProgram('../bin/it', at('plain'), [])).toBeUndefined()
  })
})

test('a PATH keeps its order, and what is trusted of it', () => {
  const path = ['', '.', '/usr/bin', at('project'), at('bin'), at('linked'), '/usr/bin', at('nowhere')]
  expect(trustedPath(path.join(':'), [at('project')])).toBe(`/usr/bin:${at('bin')}`)
})

test('programs of the system are found without any PATH', () => {
  expect(findSystemProgram('sh')).toMatch(/^\/(?:usr\/)?bin\/sh$/)
  expect(findSystemProgram('no-such-program')).toBeUndefined()
})
