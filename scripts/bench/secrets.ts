/**
 * Compares `coop check-secrets` with ripgrep, which searches the same files for the same kinds of tokens and for values under
 * names of secrets, in one pass. Of ripgrep's results nothing is judged: it has less to do.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '../../src/host/memory.ts'
import { tokenKinds } from '../../src/secrets/scan/tokens.ts'
import { coopPath, repository } from '../../test/harness/coop.ts'
import { hasCommand } from '../../test/harness/facts.ts'
import { scratch } from '../../test/harness/sandbox.ts'
import { ordinary } from '../../test/harness/users.ts'
import { proportionalMemory } from './daemon.ts'
import { print, verdict } from './measure.ts'

const BYTES = Number(process.env.COOP_BENCH_BYTES ?? 1_000_000_000)
const AT_MOST = 0.5 // of ripgrep's time
const MEMORY_MB = 100
const LOOK_MS = 100
const TEXTS = /\.(?:[cm]?[jt]s|json|md|map|css|html)$/

export async function checkSecrets(): Promise<void> {
  if (!hasCommand('rg')) throw new Error('rg not found: apt-get install ripgrep')
  await using t = await scratch(ordinary, { git: false })
  const folder = t.folder('files')
  const { files, bytes } = fill(folder)
  const patterns = join(t.root, 'patterns')
  writeFileSync(patterns, ripgrepPatterns().join('\n'))
  print(
    `\ncheck-secrets: ${files} files, ${Math.round(bytes / 1e6)} MB, ripgrep with ${ripgrepPatterns().length} patterns`,
  )
  const env = { PATH: process.env.PATH ?? '', HOME: t.home }
  const ours = await measure([coopPath(), 'check-secrets', folder], env)
  const theirs = await measure(['rg', '--no-ignore', '--hidden', '-c', '-f', patterns, folder], env)
  print(
    `  coop    ${ours.seconds.toFixed(2)} s, ${Math.round(ours.memory)} MB  ${verdict(ours.memory, MEMORY_MB, ' MB')}`,
  )
  print(`  ripgrep ${theirs.seconds.toFixed(2)} s, ${Math.round(theirs.memory)} MB`)
  print(`  coop to ripgrep ${verdict(ours.seconds / theirs.seconds, AT_MOST, 'x')}`)
}

/** Copies the texts of the dependencies, with new first lines, until there are enough. */
function fill(folder: string): { files: number; bytes: number } {
  const from = join(repository, 'node_modules')
  const names = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => TEXTS.test(name))
  let files = 0
  let bytes = 0
  for (let round = 0; bytes < BYTES; round++)
    for (const name of names) {
      const path = join(from, name)
      if (bytes >= BYTES || !statSync(path).isFile()) continue
      const to = join(folder, String(round), String(files % 100))
      mkdirSync(to, { recursive: true })
      const text = readFileSync(path)
      writeFileSync(join(to, `${files}-${name.split('/').at(-1)}`), text)
      files++
      bytes += text.length
    }
  return { files, bytes }
}

function ripgrepPatterns(): string[] {
  const literal = (text: string): string =>
    text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replaceAll('\\/', '/')
  return [
    ...tokenKinds().flatMap(({ prefixes, pattern }) =>
      prefixes.map((prefix) => literal(prefix) + pattern.replaceAll('/', '/')),
    ),
    'eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{20,}',
    '-----BEGIN [A-Z ]*PRIVATE KEY',
    '://[^\\s/:@]{0,100}:[^\\s/@]{3,200}@',
    '(?i)(?:pass|pwd|secret|token|key|credential|salt|nonce|seed)[\\w.-]{0,40}["\']?\\]?[ \\t]{0,24}(?:=|:|=>|:=|,|\\()[ \\t]{0,24}["\'][^"\'\\r\\n]{4,200}["\']',
  ]
}

/** The time of a program, and the most memory that it and its processes have together; shared pages count once. */
async function measure(
  command: readonly string[],
  env: Record<string, string>,
): Promise<{ seconds: number; memory: number }> {
  const start = performance.now()
  const child = Bun.spawn([...command], { env, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
  let memory = 0
  const timer = setInterval(() => {
    memory = Math.max(
      memory,
      [child.pid, ...processesOf(child.pid)].reduce((sum, pid) => sum + (proportionalMemory(pid) ?? 0), 0),
    )
  }, LOOK_MS)
  await child.exited
  clearInterval(timer)
  return { seconds: (performance.now() - start) / 1000, memory }
}
