/** Dead links of Markdown, SVG and man pages. Addresses in the web are looked at by form only: checks need no network. */
import { dirname, join, normalize } from 'node:path'

/** What links may lead to. */
export interface Site {
  /** Returns the text of a file of the repository, undefined when there is none; folders have an empty text. */
  read(path: string): string | undefined
}

/** Returns the headings of a Markdown page by their anchors, as GitHub makes these. */
export function headingsOf(markdown: string): ReadonlyMap<string, string> {
  const seen = new Map<string, number>()
  const headings = new Map<string, string>()
  for (const [, heading = ''] of withoutCode(markdown).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    headings.set(times ? `${slug}-${times}` : slug, heading)
  }
  return headings
}

/** Fenced blocks are no Markdown. */
const withoutCode = (markdown: string): string =>
  markdown.replace(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '')

/** Returns the targets of all links of a page. */
export function linksOf(path: string, text: string): readonly string[] {
  const all = (pattern: RegExp, from: string): string[] =>
    [...from.matchAll(pattern)].map(([, link]) => link ?? '')
  if (path.endsWith('.md')) {
    const prose = withoutCode(text).replace(/`[^`\n]*`/g, '')
    return [
      ...all(/\]\(([^)\s]+)(?: "[^"]*")?\)/g, prose),
      ...all(/^\[[^\]]+\]: (\S+)$/gm, prose),
      ...all(/\b(?:href|src)="([^"]*)"/g, prose),
      ...all(/<(https?:[^>]*)>/g, prose),
    ]
  }
  if (path.endsWith('.svg')) return all(/\b(?:xlink:)?href="([^"]*)"/g, text)
  // Man pages name others in SEE ALSO.
  return all(/^\.BR (\S+) \(1\)$/gm, text).map((page) => `${page.replaceAll('\\-', '-')}.1`)
}

/** Returns what is wrong with a link; undefined when it leads somewhere. */
export function fault(path: string, link: string, site: Site): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return isAddress(link) ? undefined : 'is no address of the web'
  const [file = '', anchor] = link.split('#')
  if (file.startsWith('/')) return 'is an absolute path'
  const target = file ? normalize(join(dirname(path), decodeURIComponent(file))) : path
  if (target.startsWith('..')) return 'leads out of the repository'
  const text = site.read(target)
  if (text === undefined) return `leads to ${target}, which is not there`
  if (anchor === undefined) return undefined
  if (!target.endsWith('.md')) return `has an anchor in ${target}, which is no Markdown`
  return headingsOf(text).has(anchor) ? undefined : `names a section that ${target} does not have`
}

function isAddress(link: string): boolean {
  if (!URL.canParse(link)) return false
  const { protocol, hostname, username } = new URL(link)
  return protocol === 'https:' && /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(hostname) && !username
}
