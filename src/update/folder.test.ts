import { expect, test } from 'bun:test'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockUpdates } from './folder.ts'

test.skipIf(process.getuid?.() !== 0)('root does not obey the folder of another user', () => {
  const dataDir = mkdtempSync('/var/tmp/coop-folder-')
  const paths = { dataDir, configDir: '', cacheDir: '', runtimeDir: '', logsDir: '' }
  try {
    mkdirSync(join(dataDir, 'releases'))
    const lock = lockUpdates(paths)
    expect(lock).toBeDefined()
    expect(lockUpdates(paths)).toBeUndefined()
    lock?.[Symbol.dispose]()
    chownSync(join(dataDir, 'releases'), 4242, 4242)
    expect(() => lockUpdates(paths)).toThrow(/releases belongs to another user/)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
