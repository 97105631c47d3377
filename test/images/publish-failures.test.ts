/** Failures of publishing: names that are taken or invalid, kills, a full disk, two at once. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { daemonPid, expectRefusal, nothingLeft, output, startBox } from '../integration/support.ts'

const DEEPEST = 16 // layers over the host's folders
const LONG_MS = 120_000
const root = needsAll({ root: process.getuid?.() === 0 })

const inside = async (t: Scratch, script: string, name = 'box'): Promise<string> =>
  output(await t.coop(['exec', '-n', name, '--', 'sh', '-c', script]))

const names = async (t: Scratch): Promise<string[]> => {
  const images = JSON.parse(output(await t.coop(['image', 'ls', '--json']))) as { reference: string }[]
  return images.map(({ reference }) => reference)
}

/** Counts folders of layers, half made ones included. */
function layers(t: Scratch): string[] {
  const top = join(t.dataDir, 'images/layers')
  if (!existsSync(top)) return []
  return readdirSync(top).flatMap((ids) => readdirSync(join(top, ids)))
}

const emptyTrash = (t: Scratch): boolean => {
  const trash = join(t.dataDir, 'trash')
  return !existsSync(trash) || readdirSync(trash).length === 0
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const rooted = { missing: can.missing || root.missing, note: `${can.note}${root.note}` }

  test.skipIf(can.missing)(`a name that is taken is replaced only when asked for${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    output(await t.coop(['image', 'publish', 'box', 'tools']))
    await startBox(t, { name: 'user', flags: ['--image', 'tools'] })
    await inside(t, 'echo new >/opt/new')
    expectRefusal(await t.coop(['image', 'publish', 'box', 'tools']), {
      code: 5,
      sentence: /an image localhost\/tools:latest already/,
      hint: /--force/,
    })
    expect(layers(t)).toHaveLength(1)
    output(await t.coop(['image', 'publish', '--force', 'box', 'tools']))
    // A box that started from the first image keeps it, and is told apart from boxes of the second.
    expect(await inside(t, 'ls /opt/new 2>&1 || echo none', 'user')).toContain('none')
    expect(output(await t.coop(['ls']))).toMatch(/tools \(older/)
    expect(output(await t.coop(['run', '--image', 'tools', '--', 'cat', '/opt/new']))).toBe('new\n')
    expect(layers(t)).toHaveLength(2)
    output(await t.coop(['kill', '-f', 'user']))
    output(await t.coop(['image', 'publish', '--force', 'box', 'tools']))
    output(await t.coop(['system', 'clean', '-f']))
    expect(layers(t)).toHaveLength(1)
  })

  test.skipIf(can.missing)(`an invalid name and a missing box or image are refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    for (const name of [
      'host',
      'ghcr.io/org/name',
      'localhost:5000/name',
      'oci:dir',
      'localhost/coop-build:x',
    ])
      expectRefusal(await t.coop(['image', 'publish', 'box', name]), {
        code: 2,
        sentence: /not a name for an image|reserved for images of coop build/,
        hint: /name/,
      })
    expectRefusal(await t.coop(['image', 'publish', 'box', 'UPPER']), {
      code: 5,
      sentence: /is not the name of an image/,
      hint: /for example/,
    })
    expectRefusal(await t.coop(['image', 'publish', 'box']), {
      code: 2,
      sentence: /coop image publish needs NAME/,
      hint: /publish/,
    })
    expectRefusal(await t.coop(['image', 'publish', 'nobody', 'x']), {
      code: 3,
      sentence: /no box named nobody/,
      hint: /coop ls/,
    })
    expectRefusal(await t.coop(['image', 'publish', 'box', 'none', 'x']), {
      code: 3,
      sentence: /no box named box\/none/,
      hint: /coop ls/,
    })
    for (const command of [['pull'], ['inspect'], ['rm']])
      expectRefusal(await t.coop(['image', ...command, 'localhost/none']), {
        code: 5,
        sentence: /localhost\/none:latest.*no registry has/,
        hint: /coop image publish/,
      })
    t.settings('[sandbox]\nimage = "localhost/none"\nsetup = ["true"]\n')
    for (const command of [['build'], ['build', '--pull'], ['-d', '-n', 'other']])
      expectRefusal(await t.coop(command), {
        code: 5,
        sentence: /there is no image localhost\/none:latest/,
        hint: /coop image publish/,
      })
    // A name without a registry means the local image as soon as it exists.
    output(await t.coop(['image', 'publish', 'box', 'debian']))
    t.settings('')
    expect(output(await t.coop(['run', '--image', 'debian', '--', 'echo', 'local']))).toBe('local\n')
    expect(await names(t)).toEqual(['localhost/debian:latest'])
  })

  test.skipIf(can.missing)(
    `two publishes at once make two images, or one if they share a name${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      await startBox(t, { name: 'second', flags: ['-w', t.folder('home/second')] })
      await inside(t, 'head -c 20M /dev/urandom >/opt/big')
      await inside(t, 'echo second >/opt/second', 'second')
      const publish = (box: string, name: string) => t.coop(['image', 'publish', box, name])
      const two = await Promise.all([
        publish('box', 'one'),
        publish('box', 'two'),
        publish('second', 'three'),
      ])
      expect(two.map(({ code }) => code)).toEqual([0, 0, 0])
      const same = await Promise.all([publish('box', 'x'), publish('second', 'x'), publish('box', 'x')])
      expect(same.map(({ code }) => code).toSorted()).toEqual([0, 5, 5])
      expect(await names(t)).toEqual(['one', 'three', 'two', 'x'].map((name) => `localhost/${name}:latest`))
      expect(layers(t)).toHaveLength(4)
      for (const name of ['one', 'two'])
        expect(output(await t.coop(['run', '--image', name, '--', 'stat', '-c', '%s', '/opt/big']))).toBe(
          `${20 << 20}\n`,
        )
      await waitUntil(() => emptyTrash(t), 'the trash to be empty')
    },
  )

  test.skipIf(can.missing)(
    `a daemon that is killed at any moment leaves a whole image or none${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      await inside(t, 'mkdir /opt/many; cd /opt/many; for i in $(seq 1000); do echo $i >$i; done')
      const before = performance.now()
      output(await t.coop(['image', 'publish', 'box', 'whole']))
      const whole = performance.now() - before
      const KILLS = 8
      for (let kill = 0; kill < KILLS; kill++) {
        const pid = await daemonPid(t)
        const client = t.startCoop(['image', 'publish', 'box', `killed-${kill}`])
        await Bun.sleep((whole * 1.2 * kill) / KILLS) // moments spread over the whole duration: the test covers every moment
        client.kill('SIGKILL') // otherwise it would publish with the next daemon
        process.kill(pid ?? -1, 'SIGKILL')
        await client.process.exited
        expect(await inside(t, 'echo alive')).toBe('alive\n')
        expect(readFileSync(join(t.dataDir, 'boxes/box/box.json'), 'utf8')).not.toContain('"frozen"')
        expect(layers(t).filter((name) => name.startsWith('.tmp-'))).toEqual([])
      }
      const made = await names(t)
      expect(made).toContain('localhost/whole:latest')
      expect(made.length).toBeLessThan(KILLS + 1) // some were killed in time
      for (const name of made)
        expect(output(await t.coop(['run', '--image', name, '--', 'sh', '-c', 'ls /opt/many | wc -l']))).toBe(
          '1000\n',
        )
      output(await t.coop(['image', 'rm', ...made]))
      expect(layers(t)).toEqual([])
    },
    LONG_MS,
  )

  test.skipIf(rooted.missing)(
    `a full disk: nothing half made stays, and the box continues${rooted.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const options = `size=64m,mode=700,uid=${invoker.uid},gid=${invoker.gid}`
      Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', options, 'coop-test', t.dataDir])
      try {
        await startBox(t)
        await inside(t, 'head -c 40M /dev/urandom >/opt/big')
        expectRefusal(await t.coop(['image', 'publish', 'box', 'tools']), {
          code: 1,
          sentence: /no space/,
          hint: /COOP_DATA_DIR/,
        })
        expect(layers(t)).toEqual([])
        expect(await names(t)).toEqual([])
        expect(await inside(t, 'echo alive')).toBe('alive\n')
        await waitUntil(() => emptyTrash(t), 'the trash to be empty')
        Bun.spawnSync(['mount', '-o', 'remount,size=128m', t.dataDir])
        output(await t.coop(['image', 'publish', 'box', 'tools']))
        output(await t.coop(['kill', '-f']))
        await nothingLeft(t)
        output(await t.coop(['system', 'shutdown']))
      } finally {
        Bun.spawnSync(['umount', '--lazy', t.dataDir])
      }
    },
  )
})

const can = needsAll({ 'user namespaces': canMakeNamespaces(ordinary) })

test.skipIf(can.missing)(
  `one over the other until no more fit${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    let image = 'host'
    for (let depth = 1; depth <= DEEPEST; depth++) {
      await startBox(t, { flags: ['--image', image] })
      await inside(t, `echo ${depth} >/opt/${depth}; echo ${depth} >/usr/local/bin/top`)
      image = `depth-${depth}`
      output(await t.coop(['image', 'publish', 'box', image]))
      output(await t.coop(['kill', '-f']))
    }
    await startBox(t, { flags: ['--image', image] })
    expect(await inside(t, `cd /opt; cat $(seq ${DEEPEST}) | wc -l; cat /usr/local/bin/top`)).toBe(
      `${DEEPEST}\n${DEEPEST}\n`,
    )
    expectRefusal(await t.coop(['image', 'publish', 'box', 'deeper']), {
      code: 5,
      sentence: /has 16 layers/,
      hint: /fewer layers/,
    })
  },
  LONG_MS,
)
