/**
 * ttyd, the terminal in a browser that the page is compared with. Where it is not installed, and Debian's release has no
 * package of it, a later release's package and all its libraries are unpacked into a folder and started from there:
 * nothing of this system changes.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { hasCommand } from '../../../test/harness/facts.ts'
import { type Started, startProgram } from '../../../test/harness/process.ts'
import type { Scratch } from '../../../test/harness/sandbox.ts'
import { waitUntil } from '../../../test/harness/wait.ts'

const SUITE = 'unstable' // has had it in all years, unlike the releases
const START_MS = 20_000
const FETCH_MS = 180_000 // the list of packages has 10 MB, ttyd with its libraries 8 MB

export interface Ttyd extends AsyncDisposable {
  readonly url: string
}

interface Program {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Serves a command of the scratch's user to any number of browsers, each with a process of its own. */
export async function startTtyd(t: Scratch, command: readonly string[]): Promise<Ttyd> {
  const program = hasCommand('ttyd') ? { command: ['ttyd'], env: {} } : unpacked()
  const options = ['--port', '0', '--interface', 'lo', '--writable', '-t', 'rendererType=dom']
  const self = {
    name: 'root',
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    home: homedir(),
    hasRange: false,
  }
  const context = { invoker: self, cwd: '/', env: { ...t.env, ...program.env } }
  const started: Started = startProgram(context, [...program.command, ...options, ...command])
  try {
    const [, port] = await waitForPort(started)
    return { url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() }
  } catch (error) {
    await started[Symbol.asyncDispose]()
    throw error
  }
}

async function waitForPort(started: Started): Promise<RegExpMatchArray> {
  const said = () => `ttyd to listen\n${started.stderr}`
  return await waitUntil(() => /Listening on port: (\d+)/.exec(started.stderr), said, START_MS)
}

/** Returns ttyd from a folder of its own, which is made at the first use. */
function unpacked(): Program {
  if (!hasCommand('apt-get')) throw new Error('ttyd is missing; install it to compare with it')
  const folder = join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'coop-bench',
    `ttyd-${process.arch}`,
  )
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true })
    const building = mkdtempSync(join(dirname(folder), 'building-'))
    try {
      fetchInto(building)
      renameSync(building, folder)
    } finally {
      rmSync(building, { recursive: true, force: true })
    }
  }
  const find = (pattern: string): string => {
    const [found] = new Bun.Glob(pattern).scanSync({ cwd: folder, absolute: true })
    if (found === undefined)
      throw new Error(`the package of ttyd has no ${pattern}; remove ${folder} to fetch it again`)
    return found
  }
  const loader = find('root/usr/lib*/**/ld-linux*.so.*')
  const library = find('root/usr/lib/*/libwebsockets.so.*')
  return {
    command: [loader, '--library-path', dirname(library), join(folder, 'root/usr/bin/ttyd')],
    // libwebsockets loads its event loop from there. Not the folder of all libraries: ttyd's shells would use them.
    env: { LD_LIBRARY_PATH: join(folder, 'loop') },
  }
}

/** Fetches with an apt configuration that knows nothing of this system but its mirror and its keys. */
function fetchInto(folder: string): void {
  const path = (name: string): string => join(folder, name)
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'parts', 'root', 'loop'])
    mkdirSync(path(name), { recursive: true })
  writeFileSync(path('status'), '') // no package counts as installed: all libraries come along
  writeFileSync(path('sources.list'), `deb ${mirror()} ${SUITE} main\n`)
  const settings = {
    'Dir::State': path('state'),
    'Dir::State::status': path('status'),
    'Dir::Cache': path('cache'),
    'Dir::Etc::SourceList': path('sources.list'),
    'Dir::Etc::SourceParts': path('parts'),
    'Dir::Etc::Preferences': path('none'),
    'Dir::Etc::PreferencesParts': path('parts'),
    'APT::Sandbox::User': 'root', // its other user could not write here
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  run(['apt-get', ...options, '-qq', 'update'])
  run(['apt-get', ...options, '-qq', '-y', '--download-only', '--no-install-recommends', 'install', 'ttyd'])
  for (const name of readdirSync(path('cache/archives')).filter((one) => one.endsWith('.deb')))
    run(['dpkg-deb', '--extract', path(`cache/archives/${name}`), path('root')])
  for (const name of ['state', 'cache', 'parts', 'status', 'sources.list'])
    rmSync(path(name), { recursive: true })
  for (const found of new Bun.Glob('usr/lib/*/libwebsockets-evlib*.so').scanSync(path('root')))
    symlinkSync(join('../root', found), path(`loop/${found.slice(found.lastIndexOf('/') + 1)}`))
}

/** Returns the archive of Debian's main packages that this system uses. */
function mirror(): string {
  const lines = run([
    'apt-get',
    'indextargets',
    '--format',
    '$(SITE) $(RELEASE) $(COMPONENT)',
    'Identifier: Packages',
  ])
  for (const line of lines.split('\n')) {
    const [site, release = '', component] = line.split(' ')
    if (site && component === 'main' && !release.includes('-') && /\/debian\/?$/.test(site)) return site
  }
  throw new Error('ttyd is missing, and apt knows no archive of Debian to fetch it from')
}

function run(command: readonly string[]): string {
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
  }
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    env,
    timeout: FETCH_MS,
    stdin: 'ignore',
  })
  if (exitCode !== 0) throw new Error(`${command[0]} could not fetch ttyd: ${stderr.toString().trim()}`)
  return stdout.toString()
}
