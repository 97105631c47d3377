/** Installs a real agent in a test user's home with `npm install -g`, as people do, from a cache of our own. */

import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

export interface AgentPackage {
  readonly name: string
  /** Pinned: the tests read these versions' screens. */
  readonly version: string
  readonly command: string
}

export const CLAUDE: AgentPackage = {
  name: '@anthropic-ai/claude-code',
  version: '2.1.332',
  command: 'claude',
}
export const CODEX: AgentPackage = { name: '@openai/codex', version: '0.171.0', command: 'codex' }

export interface Owner {
  readonly uid: number
  readonly gid: number
}

const INSTALL_LIMIT_MS = 300_000 // 100 MB from a registry, 6 s on a good line

/**
 * Installs `agent` in `home/.npm-global` and returns the absolute path of its command. The first run on a
 * machine downloads; later runs copy, about 400 MB and, where the file system can, by reference.
 */
export async function installAgent(agent: AgentPackage, home: string, owner?: Owner): Promise<string> {
  const prefix = join(home, '.npm-global')
  await mkdir(prefix, { recursive: true })
  // -a keeps the hard link between the package's command and its platform binary.
  await run(['cp', '-a', '--reflink=auto', `${await cachedPrefix(agent)}/.`, prefix])
  if (owner !== undefined && owner.uid !== process.getuid?.()) {
    await run(['chown', '-R', '-h', `${owner.uid}:${owner.gid}`, prefix])
    await chown(prefix, owner.uid, owner.gid)
  }
  return join(prefix, 'bin', agent.command)
}

/** An npm prefix with only this package; it gets its name when it is complete. */
async function cachedPrefix(agent: AgentPackage): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coop-test-agents')
  const prefix = join(cache, `${agent.name.replaceAll('/', '-')}@${agent.version}`)
  if (existsSync(prefix)) return prefix
  await mkdir(dirname(prefix), { recursive: true })
  const building = await mkdtemp(join(cache, 'building-'))
  try {
    await chmod(building, 0o755) // it becomes the prefix of another user than the one that fills the cache
    await run([
      'npm',
      'install',
      '--global',
      `--prefix=${building}`,
      // Claude Code's script puts the platform binary in place. npm 11 needs its name; older versions run all scripts.
      `--allow-scripts=${agent.name}`,
      '--include=optional', // both ship their binary as an optional package by platform
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--loglevel=error',
      `${agent.name}@${agent.version}`,
    ])
    await rename(building, prefix).catch((error: NodeJS.ErrnoException) => {
      // Another test run was quicker.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    return prefix
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    timeout: INSTALL_LIMIT_MS,
  })
  const [code, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (code !== 0)
    throw new Error(`${command.slice(0, 2).join(' ')} ended with ${code}: ${errors.slice(-2_000)}`)
}
