/** Images made of boxes and snapshots, and boxes whose image was built again. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, hasCommand, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { box, everyone, expectRefusal, output, startBox } from '../integration/support.ts'
import { layout, run, tools } from './support.ts'

const BUSYBOX = '/bin/busybox'
const can = needsAll({ busybox: hasCommand('busybox') })

let folder: string
/** Two images: the second is made from a box of the first. */
let images: readonly string[]

beforeAll(() => {
  if (tools.missing || can.missing) return
  folder = mkdtempSync('/var/tmp/coop-publish-')
  const data = readFileSync(BUSYBOX)
  const links = ['sh', 'cat', 'ls', 'sleep', 'stat', 'rm', 'mkdir', 'chown', 'true', 'find'].map((name) => ({
    name: `bin/${name}`,
    type: '2',
    link: 'busybox',
  }))
  images = ['one', 'two'].map((word) => {
    const files = [
      { name: 'bin/busybox', data, mode: 0o755 },
      ...links,
      { name: 'etc/word', data: word },
      { name: 'srv/kept', data: 'kept' },
      { name: 'srv/gone', data: 'gone' },
    ]
    return `oci:${layout(folder, [files], ['--config.env', 'WORD=of-the-image'])}`
  })
  run(['chmod', '-R', 'a+rX', folder])
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const inside = async (t: Scratch, script: string, ...options: string[]): Promise<string> =>
  output(await t.coop(['exec', '-n', 'box', ...options, '--', 'sh', '-c', script]))

const inImage = async (t: Scratch, image: string, script: string): Promise<string> =>
  output(await t.coop(['run', '--image', image, '--', 'sh', '-c', script]))

describe.each(everyone)('as $name', (invoker) => {
  const possible = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })

  test.skipIf(possible.missing)(
    `a box of the host image becomes an image, and that one again${possible.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      await inside(t, 'echo tool >/usr/local/bin/tool; echo set >/etc/set; mkdir /srv/data; rm /etc/shells')
      expect(output(await t.coop(['image', 'publish', 'box', 'with-tools']))).toContain(
        'localhost/with-tools:latest',
      )
      const look =
        'cat /usr/local/bin/tool /etc/set; ls -d /srv/data; test -e /etc/shells || echo gone; id -un'
      expect(await inImage(t, 'with-tools', look)).toBe('tool\nset\n/srv/data\ngone\ncoop\n')
      expect(await inImage(t, 'host', 'ls /etc/set 2>/dev/null; :')).toBe('') // positive control
      // Again, on top.
      t.write('../other/coop.toml', '[sandbox]\nimage = "with-tools"\n')
      const other = join(t.home, 'other')
      output(await t.coop(['-d', '-n', 'second', '-w', other, '--agent', 'sleep infinity', '--trust']))
      output(await t.coop(['exec', '-n', 'second', 'sh', '-c', 'echo more >/etc/more; rm /etc/set']))
      output(await t.coop(['image', 'publish', 'second', 'localhost/with-more:2']))
      expect(
        await inImage(t, 'localhost/with-more:2', 'cat /usr/local/bin/tool /etc/more; ls /etc/set 2>&1; :'),
      ).toMatch(/^tool\nmore\n.*No such file/)
      const list = JSON.parse(output(await t.coop(['image', 'ls', '--json']))) as unknown
      expect(list).toMatchObject([
        {
          reference: 'localhost/with-more:2',
          from: { box: 'second', image: 'with-tools', workspace: other },
        },
        {
          reference: 'localhost/with-tools:latest',
          from: { box: 'box', image: 'host' },
          usedBy: expect.arrayContaining(['second']),
        },
      ])
      // The second image keeps the files of the first, also without its name; and nobody could pull them again.
      output(await t.coop(['image', 'rm', '--force', 'with-tools']))
      output(await t.coop(['system', 'clean', '-f', '--all']))
      expect(await inImage(t, 'localhost/with-more:2', 'cat /usr/local/bin/tool')).toBe('tool\n')
    },
  )

  test.skipIf(possible.missing)(
    `a box whose image was removed keeps its layers${possible.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      await inside(t, 'echo tool >/usr/local/bin/tool')
      output(await t.coop(['image', 'publish', 'box', 'with-tools']))
      output(await t.coop(['kill', '-f']))
      output(await t.coop(['-d', '-n', 'box', '--image', 'with-tools', '--agent', 'sleep infinity']))
      output(await t.coop(['image', 'rm', '-f', 'with-tools']))
      output(await t.coop(['system', 'clean', '-f', '--all']))
      const stderr = expect.stringMatching(/with-tools.* has not been pulled; the box box keeps the layers/)
      for (const command of ['restart', 'stop', 'start'])
        expect(await t.coop([command])).toMatchObject({ code: 0, ...(command === 'stop' ? {} : { stderr }) })
      expect(await inside(t, 'cat /usr/local/bin/tool')).toBe('tool\n')
      expect(await box(t)).toMatchObject({ state: 'running', image: 'with-tools' })
      // Without the layers that it was made of, the box cannot start.
      output(await t.coop(['stop']))
      renameSync(join(t.dataDir, 'images/layers'), join(t.dataDir, 'images/moved'))
      expectRefusal(await t.coop(['start']), {
        code: 5,
        sentence: /the layers of the box box are gone, and .*with-tools.* has not been pulled/,
        hint: /coop image pull .*coop start box/,
      })
      expect(await box(t)).toMatchObject({ state: 'stopped' })
      renameSync(join(t.dataDir, 'images/moved'), join(t.dataDir, 'images/layers'))
      output(await t.coop(['start']))
    },
  )

  const skip = tools.missing || can.missing || possible.missing
  const said = `${tools.note}${can.note}${possible.note}`

  test.skipIf(skip)(
    `an image on layers keeps deletions, owners and the image's variables${said}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.settings(`[sandbox]\nimage = ${JSON.stringify(images[0])}\nshell = "sh"\n`)
      output(await t.coop(['build', '-q']))
      await startBox(t)
      const owner = invoker.hasRange ? '5:7' : '0:0'
      await inside(
        t,
        `rm /srv/gone; echo own >/srv/own; chown ${owner} /srv/own; rm -rf /etc/word; mkdir /etc/word`,
      )
      output(await t.coop(['snapshot', 'create', 'green']))
      await inside(t, 'echo later >/srv/later')
      output(await t.coop(['image', 'publish', 'box', 'now']))
      output(await t.coop(['image', 'publish', 'box/green', 'then']))
      output(await t.coop(['image', 'publish', 'green', 'then', '--force'])) // no box has this name
      const look = 'ls /srv; stat -c %u:%g /srv/own; stat -c %F /etc/word; echo $WORD'
      expect(await inImage(t, 'now', look)).toBe(`kept\nlater\nown\n${owner}\ndirectory\nof-the-image\n`)
      expect(await inImage(t, 'then', look)).toBe(`kept\nown\n${owner}\ndirectory\nof-the-image\n`)
      expect(JSON.parse(output(await t.coop(['image', 'inspect', 'then'])))).toMatchObject({
        from: { box: 'box', snapshot: 'green', image: images[0] },
      })
    },
  )

  test.skipIf(skip)(`a box whose image was built again is marked${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const configure = (image: string | undefined, setup: string): string =>
      t.settings(`[sandbox]\nimage = ${JSON.stringify(image)}\nshell = "sh"\nsetup = [${setup}]\n`)
    configure(images[0], '"echo a >/etc/step"')
    output(await t.coop(['build', '-q']))
    await startBox(t)
    const isOlder = async (): Promise<boolean> => 'olderBuild' in (await box(t))
    expect(await isOlder()).toBe(false)
    // An image that was made here needs none of the project's setup on top.
    output(await t.coop(['image', 'publish', 'box', 'made']))
    expect(await inImage(t, 'made', 'cat /etc/step')).toBe('a\n')
    configure(images[0], '"echo b >/etc/step"')
    expect(await isOlder()).toBe(false) // nothing was built yet
    output(await t.coop(['build', '-q']))
    expect(await isOlder()).toBe(true)
    expect(output(await t.coop(['ls']))).toContain('(older')
    expect(output(await t.coop(['status']))).toContain('older build')
    expect(await inside(t, 'cat /etc/step')).toBe('a\n') // it continues unchanged
    output(await t.coop(['stop', '-f']))
    output(await t.coop(['start']))
    expect(await inside(t, 'cat /etc/step')).toBe('b\n')
    expect(await isOlder()).toBe(false)
    output(await t.coop(['build', '-q', '--no-cache'])) // the same steps, other files
    expect(await isOlder()).toBe(true)
  })
})
