/**
 * Workspaces that would expose too much: the home, a folder above it, a place of secrets, or coop's
 * own state with its boxes, logs and sockets. Coop refuses each under every name of the folder.
 */
import { describe, expect, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { needed } from './support.ts'

const LIST = ['--', 'ls', '-a', '.']

async function refused(t: Scratch, args: readonly string[], cwd?: string): Promise<void> {
  const run = await t.coop(args, cwd === undefined ? {} : { cwd })
  expect({ args, cwd, code: run.code, stdout: run.stdout }).toEqual({ args, cwd, code: 125, stdout: '' })
  expect(run.stderr).toMatch(/cannot be a workspace|is not mounted|does not exist|you cannot write to/)
}

const link = (t: Scratch, name: string, to: string): string => {
  const path = join(t.workspace, name)
  symlinkSync(to, path)
  return path
}

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: a folder for a project is accepted as workspace${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('here', '')
      expect((await t.coop(['run', '-w', t.workspace, ...LIST])).stdout).toContain('here')
    },
  )

  test.skipIf(box.missing)(`the home and folders above it are refused${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const path of [
      t.home,
      t.root,
      dirname(t.root),
      '/',
      '/home',
      '/root',
      '/usr',
      '/etc',
      '/proc',
      '/dev',
      '/run',
    ]) {
      await refused(t, ['run', '-w', path, ...LIST])
    }
    for (const cwd of [t.home, '/', '/tmp']) await refused(t, ['run', ...LIST], cwd)
  })

  test.skipIf(box.missing)(`coop's state and folders in it and above it are refused${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['ls'])
    const state = [t.dataDir, t.configDir, t.cacheDir, t.runtimeDir]
    const below = [
      join(t.dataDir, 'boxes'),
      t.folder('data/volumes'),
      t.folder('config/own'),
      t.folder('r/boxes'),
    ]
    for (const path of [...state, ...below, t.root]) await refused(t, ['run', '-w', path, ...LIST])
  })

  test.skipIf(box.missing)(`places of secrets and folders in them are refused${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const name of [
      '.ssh',
      '.gnupg',
      '.aws',
      '.config/gcloud',
      '.kube/cache',
      '.mozilla/firefox/profile',
      '.config',
    ]) {
      await refused(t, ['run', '-w', t.folder(join(t.home, name)), ...LIST])
    }
  })

  test.skipIf(box.missing)(`another name of such a folder is refused, too${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.folder(join(t.home, '.ssh'))
    const names = [
      link(t, 'home-link', t.home),
      link(t, 'state-link', t.dataDir),
      join(link(t, 'root-link', '/'), t.home.slice(1), '.ssh'),
      `${t.workspace}/..`,
      `${t.workspace}/../.ssh/../.ssh//`,
      `/proc/self/root${t.home}`,
      '..',
      '/proc/self/cwd',
    ]
    for (const name of names) await refused(t, ['run', '-w', name, ...LIST])
  })

  test.skipIf(box.missing)(`the project's own settings cannot choose such a folder${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const mount of ['..', t.home, '~', t.dataDir]) {
      t.write('coop.toml', `[workspace]\nmount = ${JSON.stringify(mount)}\n`)
      const run = await t.coop(['run', '--', 'ls', '-a', '..', '.'])
      expect({ mount, leaked: /\.gitconfig|volumes|daemon\.sock/.test(run.stdout) }).toEqual({
        mount,
        leaked: false,
      })
    }
    for (const source of ['~', '~/.ssh', '..', t.dataDir, t.runtimeDir, '/', '/etc']) {
      t.folder(join(t.home, '.ssh'))
      t.write('coop.toml', `[sandbox]\nmounts = ["${source}:/mnt/here"]\n`)
      await refused(t, ['run', '--', 'ls', '-a', '/mnt/here'])
    }
  })
})
