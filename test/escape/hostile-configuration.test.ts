/**
 * Requests of a repository's own coop.toml.
 *
 * It comes with the repository, so it is the attacker's. It may describe the box, but must not choose
 * parts of the host for the box. Control: the same line works in the user's own file, or a harmless twin of it works.
 */
import { describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, smallImage } from './support.ts'

const project = async (t: Scratch, toml: string, script: string) => {
  t.write('coop.toml', toml)
  // Even when a person has accepted all of it.
  return await t.coop(['run', '--trust', '--', 'sh', '-c', script])
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: an image and a mount that are the project's own work${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      smallImage(t, 'home/project/image')
      t.write('data/file', 'mine\n')
      const toml = '[sandbox]\nimage = "rootfs:image"\nmounts = ["./data:/mnt/data"]\n'
      expect(await project(t, toml, 'cat /mnt/data/file')).toMatchObject({ code: 0, stdout: 'mine\n' })
    },
  )

  test.skipIf(box.missing)(
    `a project cannot name folders with the user's own files as an image${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      for (const at of [t.home, join(t.home, '.local')]) {
        t.folder(join(at, 'bin'))
        t.write(join(at, '.ssh/id_ed25519'), 'STOLEN\n', 0o600)
      }
      const accepted: string[] = []
      for (const image of ['/', '~', '~/.local', '/etc/..', '..', '/proc/self/root']) {
        const run = await project(
          t,
          `[sandbox]\nimage = "rootfs:${image}"\n`,
          'cat /.ssh/id_ed25519 /etc/shadow',
        )
        // Refused by name, and not because of a missing program or a mount that the kernel could not clone.
        if (run.code !== 125 || !/image|root file system|rootfs/.test(run.stderr)) accepted.push(image)
      }
      expect(accepted).toEqual([])
    },
  )

  test.skipIf(box.missing)(
    `mounts of secrets, of the system and of the home are refused${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write(join(t.home, '.ssh/id_ed25519'), 'STOLEN\n', 0o600)
      symlinkSync(join(t.home, '.ssh'), join(t.workspace, 'link'))
      for (const source of [
        '~',
        '~/.ssh',
        '/',
        '/etc',
        '/proc',
        '/run',
        '..',
        '~/project/../.ssh',
        './link',
      ]) {
        const run = await project(t, `[sandbox]\nmounts = ["${source}:/mnt/x"]\n`, 'ls -a /mnt/x')
        expect({ source, code: run.code, stdout: run.stdout }).toEqual({ source, code: 125, stdout: '' })
        expect(run.stderr).toMatch(/not mounted into boxes|cannot be mounted|a link that leads out of/)
      }
    },
  )

  test.skipIf(box.missing)(
    `a project cannot mount files writable that run on the host${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const files = [
        '.bashrc',
        '.profile',
        '.gitconfig',
        '.config/autostart/run',
        '.local/bin/run',
        'other/.git/hooks/run',
      ]
      const changed: string[] = []
      for (const file of files) {
        const path = t.write(join(t.home, file), 'mine\n')
        await project(t, `[sandbox]\nmounts = ["~/${file}:/mnt/x"]\n`, 'echo evil >>/mnt/x')
        if (readFileSync(path, 'utf8') !== 'mine\n') changed.push(file)
      }
      expect(changed).toEqual([])
    },
  )

  test.skipIf(box.missing)(
    `a fifo, a folder, a link or an endless file as configuration is an error${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const at = join(t.workspace, 'coop.toml')
      const secret = t.write(join(t.home, 'secret'), 'SECRET-LINE\n', 0o600)
      const forms: Record<string, () => void> = {
        fifo: () => Bun.spawnSync(['mkfifo', '-m', '666', at]),
        folder: () => mkdirSync(at),
        'link out': () => symlinkSync(secret, at),
        device: () => symlinkSync('/dev/zero', at),
        loop: () => symlinkSync('coop.toml', at),
        large: () => t.write('coop.toml', '#'.repeat(3 << 20)),
      }
      for (const [form, make] of Object.entries(forms)) {
        make()
        const run = await t.coop(['run', '--', 'echo', 'ran'], { timeoutMs: 5000 })
        expect({ form, stdout: run.stdout }).toEqual({ form, stdout: '' })
        expect(run.stderr).not.toContain('SECRET-LINE')
        expect(run.code).not.toBe(0)
        Bun.spawnSync(['rm', '-rf', at])
      }
    },
  )

  test.skipIf(box.missing)(`a name does not lead out of coop's folders${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const name of ['../x', '..', '.', '/etc', 'a/b', 'a\nb', '-rf', 'a'.repeat(41), '.janitor', '']) {
      const run = await t.coop(['-d', '-n', name, '--agent', 'sleep infinity'])
      if (name !== '') expect({ name, started: run.code === 0 }).toEqual({ name, started: false })
    }
    for (const key of [
      'persist = ["../x"]',
      'persist = ["/etc"]',
      'persist = ["a/../../x"]',
      'persist = ["~/.ssh"]',
    ])
      expect((await project(t, `[session]\n${key}\n`, 'echo ran')).stdout).toBe('')
    for (const key of ['mounts = ["../../x:/mnt"]', 'mounts = ["v:/mnt/../../x"]', 'mounts = ["..:/mnt"]'])
      expect((await project(t, `[sandbox]\n${key}\n`, 'echo ran')).stdout).toBe('')
  })
})
