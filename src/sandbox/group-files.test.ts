import { expect, test } from 'bun:test'
import { bounded, isTheUsers } from './group-files.ts'

const never = (): boolean => {
  throw new Error('the kernel was asked in vain')
}
const file = (mode: number, uid = 0) => ({ folder: false, mode, uid })
const folder = (mode: number, uid = 0) => ({ folder: true, mode, uid })

test('what others may use is shown, and nobody is asked', () => {
  for (const facts of [file(0o644), file(0o604, 7), folder(0o755), folder(0o711, 7)])
    expect(isTheUsers(facts, 7, never)).toBe(false)
})

test('what only the user may use is covered: their own, and what the kernel lets them have', () => {
  for (const facts of [file(0o600, 7), file(0o000, 7), folder(0o700, 7)])
    expect(isTheUsers(facts, 7, never)).toBe(true)
  for (const facts of [file(0o640), folder(0o750), folder(0o754)]) {
    expect(isTheUsers(facts, 7, () => true)).toBe(true)
    expect(isTheUsers(facts, 7, () => false)).toBe(false)
  }
})

test('many files of a folder are covered by one mount', () => {
  const files = ['/etc/a', ...[1, 2, 3].map((n) => `/opt/x/many/${n}`)]
  expect(bounded({ files, folders: ['/opt/x/many/sub', '/opt/y'] }, ['/etc', '/opt'], 3)).toEqual({
    files: ['/etc/a'],
    folders: ['/opt/y', '/opt/x/many'],
  })
})

test('a top folder is never covered', () => {
  expect(bounded({ files: ['/etc/a', '/etc/b'], folders: [] }, ['/etc'], 1)).toBeUndefined()
})
