/**
 * `npm run release -- --key FILE`: builds the executables of every target, and writes them, packed and signed, below
 * dist/release in the layout that install.sh and `coop update` read. `-- keys FILE` makes a pair of keys. See
 * docs/releasing.md.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { CoopError } from '../src/core/errors.ts'
import { MINIMUM_KERNEL } from '../src/host/minimum-kernel.ts'
import {
  type Archive,
  type FileFacts,
  type Manifest,
  type Packing,
  printManifest,
  TARGETS,
} from '../src/release/manifest.ts'
import { isVersion } from '../src/release/versions.ts'
import { buildTarget, type Overrides, trustOf } from './release/build.ts'
import { makeKeys, signingKey } from './release/keys.ts'
import { notesOf } from './release/notes.ts'
import { DEFAULT_LEVEL, digest, packInto } from './release/pack.ts'
import { publish } from './release/publish.ts'
import { source } from './release/source.ts'

const root = resolve(import.meta.dir, '..')

const USAGE = `npm run release -- --key FILE [OPTIONS]     make a release
npm run release -- keys FILE                make a pair of keys; FILE gets the private one

  --key FILE        the private key, PEM; or its text in the variable COOP_RELEASE_KEY
  --unsigned        no signature: to compare the bytes with those of a published release
  --out DIR         where to (default: dist/release)
  --target TARGET   only this one; can be repeated (default: ${TARGETS.join(', ')})
  --level N         the effort of zstd, 1 to 22 (default: ${DEFAULT_LEVEL})
  --allow-changes   also when files differ from the commit; the version says -dirty

For tests, in place of what package.json says:
  --version VERSION, --releases ADDRESS, --keys KEY,KEY, --revoked ID,ID
`

function options(argv: string[]) {
  return parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      unsigned: { type: 'boolean', default: false },
      out: { type: 'string', default: join(root, 'dist', 'release') },
      target: { type: 'string', multiple: true },
      level: { type: 'string', default: String(DEFAULT_LEVEL) },
      'allow-changes': { type: 'boolean', default: false },
      version: { type: 'string' },
      releases: { type: 'string' },
      keys: { type: 'string' },
      revoked: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

const usage = (message: string): CoopError =>
  new CoopError('E_USAGE', message, { hint: 'npm run release -- --help' })

function read(argv: string[]): ReturnType<typeof options> {
  try {
    return options(argv)
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = read(argv)
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  const [command, file, ...more] = positionals
  if (command === 'keys' && file !== undefined && more.length === 0) {
    process.stdout.write(makeKeys(file))
    return
  }
  if (command !== undefined) throw usage(`this cannot be read: ${positionals.join(' ')}`)
  await release(values)
}

async function release(values: ReturnType<typeof options>['values']): Promise<void> {
  const overrides: Overrides = {
    version: values.version,
    releases: values.releases,
    keys: values.keys,
    revoked: values.revoked,
  }
  const trust = trustOf(root, overrides)
  if (!isVersion(trust.version)) throw usage(`${trust.version} is no version of a release`)
  const targets = targetsOf(values.target)
  const level = Number(values.level)
  if (!Number.isInteger(level) || level < 1 || level > 22) throw usage('--level is a number from 1 to 22')
  // Whatever can be wrong is found before the minutes of building and packing.
  const sign = values.unsigned ? undefined : signingKey(values.key, trust)
  const from = source(root, values['allow-changes'])

  const out = resolve(values.out)
  mkdirSync(out, { recursive: true })
  const folder = mkdtempSync(join(out, '.making-'))
  try {
    const binaries = new Map<string, FileFacts>()
    const archives: Archive[] = []
    for (const target of targets) {
      const executable = buildTarget(root, target, trust)
      binaries.set(target, digest(executable))
      const packed = (['zstd', 'gzip'] as const).map((packing) =>
        archive(executable, trust.version, target, packing, level, folder),
      )
      archives.push(...(await Promise.all(packed))) // each takes one processor
    }
    const page = readFileSync(join(root, 'docs/man/coop.1'))
    const manifest: Manifest = {
      ...{ version: trust.version, commit: from.commit, time: from.time, kernel: MINIMUM_KERNEL },
      ...{ revoked: trust.revoked, binaries, archives },
      man: { ...digest(page), name: 'coop.1' },
      notes: notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), trust.version),
    }
    const bytes = printManifest(manifest)
    const { at, isNewest } = publish({
      root,
      out,
      folder,
      trust,
      page,
      manifest,
      bytes,
      signature: sign?.(bytes),
    })
    process.stdout.write(`${at}\n`)
    if (!isNewest)
      process.stderr.write('latest/download still has a newer release, or one that is no pre-release\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function archive(
  executable: Uint8Array,
  version: string,
  target: string,
  packing: Packing,
  level: number,
  folder: string,
): Promise<Archive> {
  const started = performance.now()
  const { name, facts } = await packInto(folder, executable, version, target, packing, level)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stderr.write(`${name}  ${(facts.size / 1e6).toFixed(1)} MB  ${seconds} s\n`)
  return { target, packing, name, ...facts }
}

function targetsOf(wanted: readonly string[] | undefined): readonly string[] {
  const known: readonly string[] = TARGETS
  const unknown = wanted?.find((target) => !known.includes(target))
  if (unknown !== undefined) throw usage(`${unknown} is no target; there are ${TARGETS.join(', ')}`)
  return known.filter((target) => !wanted || wanted.includes(target))
}

try {
  await main(Bun.argv.slice(2))
} catch (error) {
  if (!(error instanceof CoopError)) throw error
  process.stderr.write(`release: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ''}`)
  process.exitCode = error.exitCode
}
