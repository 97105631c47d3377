/**
 * The author of commits in the box: name and e-mail from the user's git configuration, and nothing else of it (no
 * signing, no credentials, no helpers, no aliases that run commands).
 */
import { join } from 'node:path'
import { readSmallFile } from '../disk/small-file.ts'

const MAX_BYTES = 1 << 20
const IDENTITY = new Set(['name', 'email'])

/** `user.name` and `user.email` of a git configuration file (git-config(1), "Syntax"). The last setting wins. */
export function parseIdentity(text: string): { name?: string; email?: string } {
  const found: { name?: string; email?: string } = {}
  let inUser = false
  for (const raw of text.split('\n')) {
    const section = /^\s*\[\s*([\w.-]+)\s*("[^"]*")?\s*\]\s*(.*)$/.exec(raw)
    if (section) inUser = section[1]?.toLowerCase() === 'user' && section[2] === undefined
    const line = section ? (section[3] ?? '') : raw
    const pair = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$/.exec(line)
    const key = pair?.[1]?.toLowerCase() ?? ''
    if (!inUser || !IDENTITY.has(key)) continue
    const written = pair?.[2] ?? ''
    // A comment starts only outside of quotes.
    const value = (/^"((?:[^"\\]|\\.)*)"/.exec(written)?.[1] ?? written.replace(/\s+[#;].*$/, '')).replace(
      /\\(["\\])/g,
      '$1',
    )
    if (value && !/[\0\n]/.test(value)) found[key as 'name' | 'email'] = value
  }
  return found
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** Files of the box's home with the identity; none if the user has not set one. */
export function gitIdentity(home: string): Record<string, string> {
  const identity: { name?: string; email?: string } = {}
  for (const path of [join(home, '.config/git/config'), join(home, '.gitconfig')]) {
    try {
      const bytes = readSmallFile(path, { maxBytes: MAX_BYTES })
      if (bytes) Object.assign(identity, parseIdentity(Buffer.from(bytes).toString('utf8')))
    } catch {
      // Unreadable, or a fifo: a folder of settings may be mounted in a box.
    }
  }
  const lines = Object.entries(identity).map(([key, value]) => `\t${key} = ${quoted(value)}\n`)
  return lines.length ? { '.gitconfig': `[user]\n${lines.join('')}` } : {}
}
