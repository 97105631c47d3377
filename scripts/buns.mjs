/** The Buns of other machines, which become a part of coop's executables for them. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bunPath, ownTarget, root, run, ScriptError } from './bun.mjs'

/**
 * Returns the path of a target's Bun, of the exact version that package-lock.json names. It is fetched once from the
 * npm registry, and is what the lock file's digest says, or refused.
 *
 * @param {string} target as src/release/manifest.ts names it
 */
export function bunOf(target) {
  const name = `@oven/bun-${target.replace('arm64', 'aarch64')}`
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const entry = lock.packages[`node_modules/${name}`]
  if (!entry) throw new ScriptError(`There is no Bun for ${target}: package-lock.json has no ${name}.`)
  if (target === ownTarget()) return bunPath() // npm compared it with the same digest when it installed it
  const folder = join(root, 'dist', 'bun', `${entry.version}-${target}`)
  const bun = join(folder, 'bin', 'bun')
  if (existsSync(bun)) return bun
  mkdirSync(join(root, 'dist', 'bun'), { recursive: true })
  const temporary = mkdtempSync(join(root, 'dist', 'bun', 'fetching-'))
  try {
    unpack(fetched(`${name}@${entry.version}`, entry.integrity, temporary), temporary)
    if (!existsSync(join(temporary, 'bin', 'bun'))) throw new ScriptError(`${name} has no bin/bun.`)
    try {
      renameSync(temporary, folder)
    } catch {
      if (!existsSync(bun)) throw new ScriptError(`${folder} cannot be written.`) // else another build was first
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return bun
}

/**
 * @param {string} wanted
 * @param {string} integrity `sha512-BASE64`
 * @param {string} folder
 */
function fetched(wanted, integrity, folder) {
  const args = ['pack', wanted, '--pack-destination', folder, '--silent', '--prefer-offline']
  const { code, stderr } = run('npm', args, { capture: true, allowFailure: true })
  const file = readdirSync(folder).find((found) => found.endsWith('.tgz'))
  if (code !== 0 || !file) throw new ScriptError(`npm could not fetch ${wanted}:\n${stderr}`)
  const path = join(folder, file)
  const digest = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`
  if (digest !== integrity)
    throw new ScriptError(`${wanted} is not what package-lock.json names: ${digest} instead of ${integrity}.`)
  return path
}

/**
 * @param {string} archive
 * @param {string} folder
 */
function unpack(archive, folder) {
  run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner', 'package/bin/bun'])
  rmSync(archive)
}
