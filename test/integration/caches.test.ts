/** Caches of package managers: kept for a workspace, never shared unless the user says so, and not in the repository. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, expectRefusal, needed, output } from './support.ts'

const FILL = 'echo cached > ~/.cache/mark; cat ~/.cache/mark'
const LOOK = 'cat ~/.cache/mark 2>/dev/null || echo none'

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)
  const sh = async (t: Scratch, script: string, workspace = t.workspace, ...options: string[]) =>
    output(await t.coop(['run', ...options, '-w', workspace, '--', 'sh', '-c', script]))

  test.skipIf(can.missing)(`they belong to one workspace${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const other = t.folder(join(t.root, 'other'))
    expect(await sh(t, FILL)).toBe('cached\n')
    expect(await sh(t, LOOK)).toBe('cached\n') // another box of the same folder
    expect(await sh(t, LOOK, other)).toBe('none\n')
    t.settings('[sandbox]\ncaches = "shared"\n')
    expect(await sh(t, LOOK)).toBe('none\n')
    await sh(t, FILL)
    expect(await sh(t, LOOK, other)).toBe('cached\n')
    t.settings('[sandbox]\ncaches = "none"\n')
    expect(await sh(t, `mkdir -p ~/.cache; ${FILL}; echo $CARGO_HOME-`)).toBe('cached\n-\n')
    expect(await sh(t, LOOK)).toBe('none\n')
    t.settings('')
    t.write(join(t.workspace, 'coop.toml'), '[sandbox]\ncaches = "shared"\n')
    const refused = await t.coop(['run', '--trust', 'true'])
    expectRefusal(refused, { code: 125, sentence: /may not be "shared" by a project/, hint: /default\.toml/ })
  })

  test.skipIf(can.missing)(
    `every tool is told of them, and what the user mounts comes first${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const home = '/home/coop/.cache'
      const names =
        '$npm_config_cache $CARGO_HOME $GOMODCACHE $MAVEN_OPTS $GRADLE_USER_HOME $YARN_GLOBAL_FOLDER'
      expect(await sh(t, `echo ${names}; cat ~/.config/pnpm/rc`)).toBe(
        `${home}/npm ${home}/cargo ${home}/go-mod -Dmaven.repo.local=${home}/maven ${home}/gradle ${home}/yarn-berry\n` +
          `store-dir=${home}/pnpm-store\n`,
      )
      expect(await sh(t, 'echo $CARGO_HOME', t.workspace, '-e', 'CARGO_HOME=/mine')).toBe('/mine\n')
      t.settings('[sandbox]\nmounts = ["mine:~/.npm", "all:~/.cache"]\n')
      expect(await sh(t, `echo $npm_config_cache-; ${LOOK}; ${FILL}`)).toBe('-\nnone\ncached\n')
      expect(existsSync(join(t.dataDir, 'volumes', 'volume-all', 'mark'))).toBeTrue()
    },
  )

  test.skipIf(can.missing)(
    `npm downloads once, and leaves nothing in the repository${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write(
        join(t.workspace, 'package.json'),
        '{"name":"top","version":"1.0.0","dependencies":{"one":"1.0.0"}}',
      )
      let downloads = 0
      const archive = await tarball(t)
      const integrity = `sha512-${new Bun.CryptoHasher('sha512').update(archive).digest('base64')}`
      using registry = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch(request) {
          const { origin, pathname } = new URL(request.url)
          if (pathname.endsWith('.tgz')) {
            downloads++
            return new Response(archive)
          }
          const version = {
            name: 'one',
            version: '1.0.0',
            bin: { one: 'index.js' },
            dist: { tarball: `${origin}/one/-/one-1.0.0.tgz`, integrity },
          }
          return Response.json({
            name: 'one',
            'dist-tags': { latest: '1.0.0' },
            versions: { '1.0.0': version },
          })
        },
      })
      const npm = `npm install --no-audit --no-fund --silent --registry=${registry.url}`
      const install = `${npm} && sh node_modules/one/index.js`
      for (let round = 0; round < 2; round++) {
        expect(await sh(t, `rm -rf node_modules package-lock.json; ${install}`)).toBe('one\n')
        expect(downloads).toBe(1)
      }
      // A program for the box, in a folder of PATH that belongs to it.
      expect(await sh(t, `${npm} -g one && one && command -v one`)).toBe('one\n/home/coop/.local/bin/one\n')
      expect(downloads).toBe(1)
      expect(readdirSync(t.workspace).sort()).toEqual(['node_modules', 'package-lock.json', 'package.json'])
    },
  )
})

/** A package as npm downloads it. */
async function tarball(t: Scratch): Promise<Uint8Array<ArrayBuffer>> {
  t.write(
    join(t.root, 'made/package/package.json'),
    '{"name":"one","version":"1.0.0","bin":{"one":"index.js"}}',
  )
  t.write(join(t.root, 'made/package/index.js'), '#!/bin/sh\necho one\n')
  const made = Bun.spawn(['tar', '-cz', '-C', join(t.root, 'made'), 'package'], { stdout: 'pipe' })
  return new Uint8Array(await new Response(made.stdout).arrayBuffer())
}
