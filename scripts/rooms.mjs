/**
 * Checks the house (docs/architecture.md, "The house"): every folder of `src` is a known room, imports only go down,
 * and no file or folder outgrows its bounds. Part of `npm run check`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { root } from './bun.mjs'

/** The rooms from the ground up. A room may only import rooms that come before it. */
export const ROOMS = [
  'core',
  'themes',
  'release',
  'disk',
  'secrets',
  'config',
  'broker/terms',
  'secrets/scan',
  'sandbox',
  'host',
  'sandbox/seccomp',
  'container',
  'agents',
  'trust',
  'image',
  'vt',
  'input-filter',
  'answers',
  'protocol/shapes',
  'protocol/calls',
  'protocol',
  'screen',
  'store',
  'terminal',
  'trees',
  'masks',
  'broker/plan',
  'secrets/check',
  'plan',
  'box',
  'image/unpack',
  'image/pull',
  'worker',
  'engine',
  'push',
  'preview',
  'broker',
  'session',
  'serve',
  'handlers',
  'daemon',
  'client',
  'client/terminal',
  'client/stdio',
  'client/cp',
  'update',
  'cli/common',
  'cli/serving',
  'cli/commands/image',
  'cli/commands/serve',
  'cli/commands/shell',
  'cli/commands/snapshot',
  'cli/commands/system',
  'cli/commands/trust',
  'cli/commands/volume',
  'cli/commands',
  'cli',
  '', // main.ts
]

const MAX_LINES = 400 // in a file
const MAX_FILES = 25 // in a folder, not counting tests

const isTest = (/** @type {string} */ file) => /\.test\.(ts|mjs)$/.test(file)

/**
 * Returns the faults of the house; empty when there are none.
 *
 * @param {ReadonlyMap<string, string>} files texts by path below `src`
 * @param {readonly string[]} rooms
 * @returns {string[]}
 */
export function faults(files, rooms = ROOMS) {
  const found = []
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const [file, text] of files) {
    const room = dirname(file) === '.' ? '' : dirname(file)
    const floor = rooms.indexOf(room)
    if (floor < 0) found.push(`src/${file}: the folder is no known room; add it to scripts/rooms.mjs`)
    if (!isTest(file)) counts.set(room, (counts.get(room) ?? 0) + 1)
    const lines = text.split('\n').length - 1
    if (lines > MAX_LINES) found.push(`src/${file}: ${lines} lines, more than ${MAX_LINES}`)
    if (isTest(file)) continue
    for (const [, path = ''] of text.matchAll(/(?:from|import|require)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const target = relative('/src', resolve('/src', dirname(file), path))
      if (target.startsWith('..')) continue // ffi, which every room may import
      const below = dirname(target) === '.' ? '' : dirname(target)
      if (rooms.indexOf(below) > floor && floor >= 0)
        found.push(`src/${file}: imports ${target}, which is above it (see ROOMS in scripts/rooms.mjs)`)
    }
  }
  for (const [room, count] of counts)
    if (count > MAX_FILES) found.push(`src/${room}: ${count} files, more than ${MAX_FILES}`)
  return found
}

/** Returns the sources of coop by their paths below `src`. */
export function sources() {
  const src = join(root, 'src')
  if (!existsSync(src)) return new Map()
  const names = /** @type {string[]} */ (readdirSync(src, { recursive: true }))
  const sources = names.filter((name) => name.endsWith('.ts'))
  return new Map(sources.sort().map((name) => [name, readFileSync(join(src, name), 'utf8')]))
}
