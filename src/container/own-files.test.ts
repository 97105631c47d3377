import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as k from '../../ffi/abi/constants.ts'
import { rlimit64 } from '../../ffi/abi/structs.ts'
import { Channel } from '../../ffi/channel.ts'
import { socketPair } from '../../ffi/descriptors.ts'
import { startZygote } from '../../ffi/native.ts'
import { boxDir, upperDir } from '../core/paths.ts'
import { type TestPaths, testPaths } from '../disk/testing.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import type { Plan } from '../sandbox/plan.ts'
import { planOf } from '../sandbox/testing.ts'
import { makeBoxFolder, prepareStore } from '../store/storage.ts'
import { MountBatch } from './mount-batch.ts'
import { makeOwnFiles, ownFiles } from './own-files.ts'

const MINE: IdPlan = { kind: 'single', uids: [], gids: [] } // root of the box is the user who runs this test
const LAYERS = { kind: 'layers', layers: [], environment: {}, workingDir: '' } as const
const RLIMIT_FSIZE = 1
const UNLIMITED = 0xffff_ffff_ffff_ffffn

let init: Channel

beforeAll(async () => {
  const [connection, theirConnection] = socketPair(k.SOCK_STREAM)
  const [channel, theirChannel] = socketPair(k.SOCK_SEQPACKET)
  startZygote(theirConnection, theirChannel)
  init = await Channel.adopt(connection, channel, {})
})
afterAll(() => init.close())

interface Made {
  readonly paths: TestPaths
  readonly upper: string
  readonly again: () => Promise<void>
  [Symbol.dispose](): void
}

/** The files of a box before its first start, made by a process that runs batches as init does. */
async function madeFor(image?: typeof LAYERS): Promise<Made> {
  const paths = testPaths()
  const plan: Plan = { ...planOf(image ? { image } : {}), ids: MINE }
  makeBoxFolder(paths, 'it')
  prepareStore(paths, plan)
  const again = (): Promise<void> => make(paths, plan)
  await again()
  return { paths, upper: upperDir(paths, 'it'), again, [Symbol.dispose]: () => paths[Symbol.dispose]() }
}

async function make(paths: TestPaths, plan: Plan, text = '[user]\n', room = UNLIMITED): Promise<void> {
  const setup = new MountBatch(new Map())
  setup.batch.call('umask', [0])
  setup.batch.call('chdir', [boxDir(paths, 'it')])
  setup.batch.call('prlimit64', [0, RLIMIT_FSIZE, rlimit64(room, UNLIMITED), 0])
  makeOwnFiles(setup, 'upper', ownFiles(plan, { '.gitconfig': text }))
  await init.run(setup.batch)
}

const files = (upper: string): string[] =>
  [...new Bun.Glob('**').scanSync({ cwd: upper, dot: true, onlyFiles: true })].sort()

const ALL = ['group', 'hostname', 'hosts', 'passwd', 'resolv.conf']

describe('the files that coop gives a box', () => {
  test('are there with the modes that were meant, and nothing else is', async () => {
    using made = await madeFor()
    expect(files(made.upper)).toEqual([...ALL.map((name) => `etc/${name}`), 'root/home/coop/.gitconfig'])
    expect(readFileSync(join(made.upper, 'etc/hostname'), 'utf8')).toBe('it\n')
    expect(readFileSync(join(made.upper, 'root/home/coop/.gitconfig'), 'utf8')).toBe('[user]\n')
    for (const name of ALL) expect(statSync(join(made.upper, 'etc', name)).mode & 0o7777).toBe(0o644)
    expect(statSync(join(made.upper, 'root/home')).mode & 0o7777).toBe(0o755)
  })

  test('are in the /etc of the root where that has no overlay of its own', async () => {
    using made = await madeFor(LAYERS)
    const etc = [...ALL, 'sudoers.d/coop'].map((name) => `root/etc/${name}`)
    expect(files(made.upper).sort()).toEqual([...etc, 'root/home/coop/.gitconfig'].sort())
  })

  test('stay as the box has left them, and what it has not is made', async () => {
    using made = await madeFor()
    const etc = join(made.upper, 'etc')
    writeFileSync(join(etc, 'hosts'), 'changed')
    rmSync(join(etc, 'passwd'))
    rmSync(join(etc, 'group'))
    mkdirSync(join(etc, 'group'))
    await made.again()
    expect(readFileSync(join(etc, 'hosts'), 'utf8')).toBe('changed')
    expect(readFileSync(join(etc, 'passwd'), 'utf8')).toContain('coop')
    expect(readdirSync(join(etc, 'group'))).toEqual([])
    expect(readdirSync(made.upper).sort()).toEqual(['etc', 'root', 'usr'])
  })

  for (const at of ['root/etc', 'root/home', 'root/home/coop', 'root/etc/hosts', 'root/home/coop/.gitconfig'])
    test(`are not written through a link at ${at}`, async () => {
      using made = await madeFor(LAYERS)
      const place = join(made.upper, at)
      const isFile = statSync(place).isFile()
      const victim = join(made.paths.top, 'victim')
      if (!isFile) mkdirSync(victim)
      for (const target of [victim, '../../../../victim', '../../../victim']) {
        rmSync(place, { recursive: true })
        symlinkSync(target, place)
        await made.again()
        expect(readlinkSync(place)).toBe(target)
        expect(isFile ? existsSync(victim) : readdirSync(victim)).toEqual(isFile ? false : [])
      }
    })

  test('are left out where the box has a file or nothing in the place of their folder', async () => {
    using made = await madeFor(LAYERS)
    for (const name of ['etc', 'home']) {
      rmSync(join(made.upper, 'root', name), { recursive: true })
      writeFileSync(join(made.upper, 'root', name), 'a file')
    }
    await made.again()
    expect(files(made.upper)).toEqual(['root/etc', 'root/home'])
  })

  test('are not half written when the disk is full', async () => {
    using made = await madeFor()
    const plan: Plan = { ...planOf(), ids: MINE }
    const file = join(made.upper, 'root/home/coop/.gitconfig')
    rmSync(file)
    const full = make(made.paths, plan, 'x'.repeat(100_000), 4096n)
    await expect(full).rejects.toMatchObject({ syscall: 'lseek', code: 'ENXIO' })
    expect(existsSync(file)).toBe(false)
    await made.again()
    expect(readFileSync(file, 'utf8')).toBe('[user]\n')
  })

  test('are an error where their folder cannot be made for any other reason', async () => {
    using made = await madeFor()
    const plan: Plan = { ...planOf(), ids: MINE }
    const user = { ...plan.user, home: `/home/${'x'.repeat(300)}` }
    await expect(make(made.paths, { ...plan, user })).rejects.toMatchObject({ code: 'ENAMETOOLONG' })
  })
})
