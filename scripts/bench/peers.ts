/** The programs that coop is compared with. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCommand } from '../../test/harness/facts.ts'
import type { Scratch } from '../../test/harness/sandbox.ts'
import type { Contender } from './measure.ts'

export function bwrap(): Contender[] {
  if (!hasCommand('bwrap')) return []
  const options = '--unshare-all --ro-bind / / --proc /proc --dev /dev'.split(' ')
  return [{ name: 'bwrap', command: ['bwrap', ...options, 'true'] }]
}

/** `runc run` of a prepared bundle, with the host's /usr read-only, so that both run the same `true`. */
export function runc(t: Scratch): Contender[] {
  if (!hasCommand('runc')) return []
  const bundle = t.folder('runc')
  const rootfs = join(bundle, 'rootfs')
  mkdirSync(join(rootfs, 'usr'), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(rootfs, name))
  const made = Bun.spawnSync(['runc', 'spec', '--rootless'], {
    cwd: bundle,
    env: { ...t.env },
    stderr: 'pipe',
  })
  if (!made.success) throw new Error(`runc spec: ${made.stderr.toString()}`)
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(runcSpec(bundle), null, 2))
  const state = join(bundle, 'state')
  return [{ name: 'runc', command: ['runc', '--root', state, 'run', '--bundle', bundle, 'bench'] }]
}

interface RuncSpec {
  process: { terminal: boolean; args: string[] }
  root: { path: string; readonly: boolean }
  mounts: { destination: string; type: string; source: string; options: string[] }[]
}

function runcSpec(bundle: string): RuncSpec {
  const spec = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as RuncSpec
  spec.process.terminal = false
  spec.process.args = ['/usr/bin/true']
  spec.root = { path: 'rootfs', readonly: true }
  spec.mounts.push({ destination: '/usr', type: 'none', source: '/usr', options: ['rbind', 'ro'] })
  return spec
}

/** Starts a tmux server with one session, on a socket of its own; disposing of the scratch ends it. */
export async function tmuxLs(t: Scratch): Promise<Contender[]> {
  if (!hasCommand('tmux')) return []
  await t.terminal(['sleep', 'infinity'])
  return [{ name: 'tmux ls', command: ['tmux', '-S', join(t.root, 'tmux-1'), 'ls'] }]
}
