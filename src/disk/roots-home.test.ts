import { expect, test } from 'bun:test'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { homeOfRoot, takeRootsHome } from './roots-home.ts'

test("root's home comes from the password file", () => {
  expect(homeOfRoot('daemon:x:1:1::/usr/sbin:/bin/sh\nroot:x:0:0:root:/root/home:/bin/bash\n')).toBe(
    '/root/home',
  )
  expect(homeOfRoot('')).toBe('/root')
})

test.skipIf(process.getuid?.() !== 0)("folders of other users are not root's [needs root]", async () => {
  const [mine, other] = [0, 1234].map((uid) => {
    const folder = mkdtempSync(join(tmpdir(), 'coop-home-'))
    chownSync(folder, uid, uid)
    return folder
  }) as [string, string]
  try {
    mkdirSync(join(other, 'left-by-root'))
    const env = {
      HOME: other,
      XDG_DATA_HOME: join(other, 'not/made'),
      XDG_STATE_HOME: join(other, 'left-by-root'),
      XDG_CACHE_HOME: mine,
      COOP_DATA_DIR: other,
    }
    await takeRootsHome(env)
    expect(env.HOME).not.toBe(other)
    expect(env).toMatchObject({ XDG_CACHE_HOME: mine, COOP_DATA_DIR: other })
    expect(env.XDG_DATA_HOME).toBeUndefined()
    expect(env.XDG_STATE_HOME).toBeUndefined()
    const own = { HOME: mine }
    await takeRootsHome(own)
    expect(own.HOME).toBe(mine)
  } finally {
    for (const folder of [mine, other]) rmSync(folder, { recursive: true })
  }
})
