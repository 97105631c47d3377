/** Names of boxes: which ones are valid, and how coop makes one if the user gives none. */
import { MAX_BOX_NAME } from './paths.ts'

/** The rule in words, for error messages. */
export const BOX_NAME_RULE =
  'lowercase letters, digits, "-", "_" and ".", starting with a letter or digit, at most 40 characters'

/** Longest host name Linux takes (HOST_NAME_MAX, gethostname(2)). */
export const MAX_HOSTNAME = 64

// RFC 1123 section 2.1: letters, digits and inner hyphens, at most 63 per label.
const HOSTNAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** Whether `name` may name a box. A valid name is also a safe path component: never `.` or `..`. */
export function isBoxName(name: string): boolean {
  return name.length <= MAX_BOX_NAME && /^[a-z0-9][a-z0-9._-]*$/.test(name)
}

/** Whether `name` is a host name by RFC 1123 that Linux accepts. */
export function isHostname(name: string): boolean {
  return name.length <= MAX_HOSTNAME && HOSTNAME.test(name)
}

/**
 * A valid box name from a workspace's folder; a number is added if the plain name is taken.
 *
 * @example nameFromWorkspace('/src/My Project!', new Set(['my-project'])) // 'my-project-2'
 */
export function nameFromWorkspace(path: string, taken: ReadonlySet<string>): string {
  const base = slug(path.split('/').findLast(Boolean) ?? '') || 'box'
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`
    const name = trimEnd(base.slice(0, MAX_BOX_NAME - suffix.length)) + suffix
    if (!taken.has(name)) return name
  }
}

function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '') // "é" becomes "e" and an accent
    .toLowerCase()
  return trimEnd(
    plain
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .replace(/-{2,}/g, '-'),
  )
}

function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && '-_.'.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

/** The host name of a box that configures none: its name, with every character that RFC 1123 forbids replaced. */
export function hostnameFromBoxName(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
  return label.replace(/-$/, '') || 'box'
}

/**
 * A name of two words for `coop create`. `random` is like `Math.random`.
 *
 * @example randomName(Math.random) // 'mossy-heron'
 */
export function randomName(random: () => number): string {
  return `${pick(QUALITIES, random)}-${pick(BIRDS, random)}`
}

function pick(words: readonly string[], random: () => number): string {
  const index = Math.min(words.length - 1, Math.max(0, Math.floor(random() * words.length)))
  return words[index] ?? 'box'
}

const QUALITIES: readonly string[] = `
amber brisk calm clever cosy crisp dapper dusty eager early easy fancy fleet fluffy fresh frosty gentle glossy
golden grand happy hardy humble jolly keen kind lively loyal lucky mellow merry mild mossy neat nimble noble
patient plucky polite proud quick quiet rapid ready rosy rustic sandy shiny silent silver sleek smart snowy
solid spry steady sturdy sunny swift tidy tiny upbeat warm witty`
  .trim()
  .split(/\s+/)

const BIRDS: readonly string[] = `
avocet bittern bluejay bunting bustard buzzard canary chicken condor coot cormorant crane crow cuckoo curlew
dipper dove duck dunlin eagle egret eider falcon finch flicker gannet godwit goose grebe grouse gull harrier
hawk hen heron hoopoe ibis jackdaw jay kestrel kite kiwi lapwing lark linnet magpie mallard martin merlin
oriole osprey ostrich owl partridge pelican petrel pigeon plover puffin quail raven robin rooster swallow`
  .trim()
  .split(/\s+/)
