import { describe, expect, test } from 'bun:test'
import type { Config } from '../config/config.ts'
import { DEFAULTS } from '../config/schema.ts'
import { CoopError } from '../core/errors.ts'
import { homeOf } from './compose.ts'
import type { Plan, Step } from './plan.ts'
import { facts, planOf, source } from './testing.ts'

const configured = (changes: { readonly [T in keyof Config]?: Partial<Config[T]> }): Config =>
  Object.fromEntries(
    Object.entries(DEFAULTS).map(([table, values]) => [
      table,
      { ...values, ...changes[table as keyof Config] },
    ]),
  ) as unknown as Config

function refusal(work: () => unknown): { code: string; message: string; hint: string | undefined } {
  try {
    work()
  } catch (error) {
    if (error instanceof CoopError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const stepsOf = <D extends Step['do']>(plan: Plan, kind: D): Extract<Step, { do: D }>[] =>
  plan.steps.filter((step): step is Extract<Step, { do: D }> => step.do === kind)
const bound = (plan: Plan): string[] => stepsOf(plan, 'bind').map(({ at }) => at)
const mount = (target: string, path = target) => ({ source: source(path), target, readonly: false })

describe('mounts', () => {
  test('an outer one never hides an inner one, however they are written down', () => {
    const plan = planOf({
      mounts: [mount('/src/it/deep/er/x'), mount('/src'), mount('/src/it/deep')],
      workspace: { source: source('/src/it'), target: '/src/it' },
    })
    expect(bound(plan)).toEqual(['/src', '/src/it', '/src/it/deep', '/src/it/deep/er/x'])
  })

  test('of the same depth keep their order, and the workspace wins over one at its own place', () => {
    const plan = planOf({ mounts: [mount('/src/b'), mount('/src/a'), mount('/src/it', '/elsewhere')] })
    expect(bound(plan)).toEqual(['/src/b', '/src/a', '/src/it', '/src/it'])
    expect(stepsOf(plan, 'bind').at(-1)).toMatchObject({ source: { path: '/src/it' }, readonly: false })
  })

  test('bring what is mounted below a folder, and nothing more with a file', () => {
    const file = { source: source('/one', 'file'), target: '/one', readonly: true }
    const binds = stepsOf(planOf({ mounts: [file] }), 'bind')
    expect(binds.map(({ at, readonly, recursive }) => [at, readonly, recursive])).toEqual([
      ['/one', true, false],
      ['/src/it', false, true],
    ])
  })

  test('come after the temporary folders, which would hide them, and before kernel files, which must', () => {
    const kinds = planOf({ mounts: [mount('/run/agent')] }).steps.map((step) => step.do)
    expect(kinds.indexOf('bind')).toBeGreaterThan(kinds.lastIndexOf('tmpfs'))
    for (const kind of ['dev', 'proc', 'sys'] as const)
      expect(kinds.lastIndexOf('bind')).toBeLessThan(kinds.indexOf(kind))
  })

  test.each(['/', '//proc', '/./dev', '/sys/', '/x/../proc', 'relative'])(
    'at %s are refused whatever they come from',
    (target) => {
      const refused = [
        () => planOf({ mounts: [mount(target, '/data')] }),
        () => planOf({ workspace: { source: source('/src/it'), target } }),
      ].map((work) => refusal(work).code)
      expect(refused).toEqual(['E_MOUNT', 'E_MOUNT'])
    },
  )

  test('that are sealed are of their folder alone: an overlay shows nothing that is mounted below it', () => {
    const sealed = { ...mount('/lib', '/data/lib'), readonly: true, sealed: true, from: '/data/lib' } as const
    expect(stepsOf(planOf({ mounts: [sealed] }), 'bind')[0]).toMatchObject({
      sealed: true,
      recursive: false,
      readonly: true,
      from: '/data/lib',
    })
  })
})

test('/dev is there before /proc, whose masks are copies of its null', () => {
  const kinds = planOf().steps.map((step) => step.do)
  expect(kinds.indexOf('dev')).toBeLessThan(kinds.indexOf('proc'))
})

test('only what the kernel has below /proc is covered, since a mask that fails stops the box', () => {
  const [all] = stepsOf(planOf(), 'proc')
  const [some] = stepsOf(planOf({ inProc: (name) => name === 'kcore' }), 'proc')
  expect(all?.maskedFiles).toContain('kcore')
  expect(all?.maskedFiles.length).toBeGreaterThan(1)
  expect(some).toMatchObject({ maskedFiles: ['kcore'], maskedFolders: [], readonly: [] })
})

describe('refused instead of ignored', () => {
  test('a network that there is not', () => {
    const error = refusal(() => planOf({ config: configured({ network: { mode: 'veth' } }) }))
    expect(error).toMatchObject({ code: 'E_ISOLATION', hint: expect.stringContaining('--network none') })
  })

  test('setup steps where there are no layers for them', () => {
    const config = configured({ sandbox: { setup: ['true'] } })
    expect(refusal(() => planOf({ config }))).toMatchObject({ code: 'E_IMAGE' })
    const image = { kind: 'layers', layers: [source('/l')], environment: {}, workingDir: '' } as const
    expect(planOf({ config, image }).root.lower).toHaveLength(1)
  })
})

describe('an image of layers', () => {
  const layered = (workingDir: string): Plan =>
    planOf({
      image: {
        kind: 'layers',
        layers: [source('/top'), source('/base')],
        environment: { FROM_IMAGE: '1' },
        workingDir,
      },
    })

  test('lies topmost first below the box’s own files, with its environment', () => {
    const plan = layered('/app')
    expect(plan.root.lower.map(({ path }) => path)).toEqual(['/top', '/base'])
    expect(plan.environment.FROM_IMAGE).toBe('1')
    expect(plan.steps[0]).toEqual({ do: 'folder', at: '/app', mode: 0o755 })
  })

  test.each(['', '/', 'relative', '/a/../../etc', '/..'])(
    'has no say with the working folder %j',
    (folder) => {
      expect(layered(folder).steps[0]).toMatchObject({ do: 'folder', at: '/tmp' })
    },
  )
})

describe('the network', () => {
  test('of the host: its name servers, and a note where its abstract sockets can be reached', () => {
    const config = configured({ network: { mode: 'host' } })
    const plan = planOf({ config, landlockAbi: 5 })
    expect(plan.etc['resolv.conf']).toContain('192.0.2.1')
    expect(plan.confinement.landlockScope).toBe(false)
    expect(plan.notes.join()).toContain('abstract unix sockets')
    expect(planOf({ config, landlockAbi: 6 }).notes).toEqual([])
  })

  test('none: nothing is said of name servers that cannot be reached', () => {
    const plan = planOf({ config: configured({ network: { mode: 'none' } }), landlockAbi: 0 })
    expect(plan.etc).not.toHaveProperty('resolv.conf')
    expect(plan.notes).toEqual([])
  })
})

describe('when root invokes coop', () => {
  const ids = { ...facts().ids, uid: 0, gid: 0, userName: 'root' }

  test('no file gets capabilities or a setuid mark: it would be the host root’s to the kernel', () => {
    const { capabilities, setuidFiles } = planOf({ ids }).confinement
    expect(capabilities).not.toContain('SETFCAP')
    expect(setuidFiles).toBe(false)
  })

  test('positive control: an ordinary user’s box may have both', () => {
    const { capabilities, setuidFiles } = planOf().confinement
    expect(capabilities).toContain('SETFCAP')
    expect(setuidFiles).toBe(true)
  })
})

test('a box with a single id says so, and what would give it more', () => {
  const [note] = planOf({ ids: { ...facts().ids, subuid: '' } }).notes
  expect(note).toMatch(/one user id.*usermod --add-subuids/)
})

test('limits stay below those of the host, which a box could not raise', () => {
  const hardLimits = { processes: 7, openFiles: 9 }
  expect(planOf({ hardLimits }).limits).toEqual({ pids: 7, openFiles: 9 })
  expect(planOf({ config: configured({ limits: { pids: 5 } }), hardLimits }).limits.pids).toBe(5)
})

test('the user of the box is in its files and variables', () => {
  const plan = planOf({ config: configured({ sandbox: { user: 'dev', shell: 'zsh', hostname: '' } }) })
  expect(plan.user).toEqual({ name: 'dev', home: '/home/dev', shell: '/bin/zsh' })
  expect(plan.etc.passwd).toMatch(/^dev:[^:]*:0:0:.*:\/home\/dev:\/bin\/zsh$/m)
  expect(plan.etc.hostname).toBe('it\n')
  expect(plan.environment).toMatchObject({ HOME: '/home/dev', USER: 'dev', SHELL: '/bin/zsh' })
  expect(homeOf(configured({ sandbox: { user: 'root' } }))).toBe('/root')
})
