/** Reads git configuration files (git-config(1), "Syntax"), without includes and without running git. */

export interface GitSetting {
  /** In lower case, with the subsection as written: `core`, `remote.origin`. */
  readonly section: string
  /** In lower case. */
  readonly key: string
  readonly value: string
}

/** The value of a setting as written: quotes, escapes, and comments outside of quotes. */
function textOfValue(written: string): string {
  let value = ''
  let quoted = false
  let kept = 0 // spaces at the end count only within quotes
  for (let at = 0; at < written.length; at++) {
    const sign = written.charAt(at)
    if (sign === '"') {
      quoted = !quoted
      kept = value.length
    } else if (sign === '\\') {
      const next = written.charAt(++at)
      value += { n: '\n', t: '\t', b: '\b' }[next] ?? next
      kept = value.length
    } else if (!quoted && (sign === '#' || sign === ';')) break
    else {
      value += sign
      if (quoted || !/\s/.test(sign)) kept = value.length
    }
  }
  return value.slice(0, kept)
}

/** The settings of a file in its order; lines that are no settings are skipped. A key without a value is `true`. */
export function parseGitConfig(text: string): readonly GitSetting[] {
  const found: GitSetting[] = []
  let section = ''
  for (const raw of text.replace(/\\\r?\n/g, '').split('\n')) {
    const head = /^\s*\[\s*([\w.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]\s*(.*)$/.exec(raw)
    const sub = head?.[2]?.replace(/\\(.)/g, '$1')
    if (head) section = (head[1] ?? '').toLowerCase() + (sub === undefined ? '' : `.${sub}`)
    const pair = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*?)\s*)?$/.exec(head ? (head[3] ?? '') : raw)
    const key = pair?.[1]?.toLowerCase()
    if (key === undefined || section === '') continue
    const value = pair?.[2] === undefined ? 'true' : textOfValue(pair[2])
    if (!value.includes('\0')) found.push({ section, key, value })
  }
  return found
}

/** The last value of a setting, which wins: `lastOf(settings, 'core', 'worktree')`. */
export function lastOf(settings: readonly GitSetting[], section: string, key: string): string | undefined {
  return settings.findLast((one) => one.section === section && one.key === key)?.value
}
