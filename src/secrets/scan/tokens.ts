/** The rules for tokens that are known by how they begin. */
import { hasChecksum } from './checksums.ts'
import type { Anchor } from './finder.ts'
import { isExample } from './randomness.ts'
import { TOKEN_KINDS } from './token-kinds.ts'

export interface TokenKind {
  readonly kind: string
  readonly prefixes: readonly string[]
  readonly pattern: string
  readonly checksum: boolean
}

/** Reads a table of kinds: columns with two spaces or more between them. */
export function readTable(table: string): string[][] {
  return table
    .split('\n')
    .filter(Boolean)
    .map((line) => line.trim().split(/ {2,}/))
}

export const tokenKinds = (): TokenKind[] =>
  readTable(TOKEN_KINDS).map(([kind = '', prefixes = '', pattern = '', checksum]) => ({
    kind,
    prefixes: prefixes.split('|'),
    pattern,
    checksum: checksum === 'crc32',
  }))

const RANK = 0

export function tokenAnchors(): Anchor[] {
  return tokenKinds().flatMap(({ kind, prefixes, pattern, checksum }) => {
    let compiled: RegExp | undefined
    return prefixes.map((text) => ({
      text,
      anyCase: false,
      look({ text: all, hit }, at) {
        // Inside of a longer word it is something else. Addresses may follow anything.
        if (
          at > 0 &&
          /[A-Za-z0-9]/.test(text.charAt(0)) &&
          /[A-Za-z0-9_]/.test(all.charAt(at - 1)) &&
          !isEscape(all, at)
        )
          return
        compiled ??= new RegExp(`${pattern}(?![A-Za-z0-9_])`, 'y')
        compiled.lastIndex = at + text.length
        const random = compiled.exec(all)?.[0]
        if (random === undefined || isExample(random) || (checksum && !hasChecksum(random))) return
        if (!/\d/.test(random) && random.length > 30 && !/[A-Z]/.test(random)) return
        hit({ start: at, end: at + text.length + random.length, kind, rank: RANK })
      },
    }))
  })
}

/** Whether the letter before a place belongs to an escape sequence such as `\n`, or to `%3D`. */
function isEscape(text: string, at: number): boolean {
  return (text.charAt(at - 2) === '\\' && /[nrt]/.test(text.charAt(at - 1))) || text.charAt(at - 3) === '%'
}
