/**
 * What git in a box must know about hidden names. Ones that it does not track are ignored, or `git add -A` would commit
 * empty files. For tracked ones, whose masks have the length and time of the index, a filter gives what is in the index,
 * should git read them after all: it does so when a file is not older than the index ("racy", gitformat-index(5)).
 */
import { BUILT_IN } from '../secrets/built-in.ts'
import type { SecretSettings } from '../secrets/decide.ts'
import type { Pattern } from '../secrets/gitignore.ts'

const FILTER = 'coop-hidden'

/** The lines for the box's `.gitconfig`. */
export const SECRETS_CONFIG = `[core]
\tcheckStat = minimal
\ttrustctime = false
\tattributesFile = ~/.config/git/attributes
[filter "${FILTER}"]
\tclean = git cat-file blob :%f
`
/** A pattern that does not look at case, as the rules for hiding do not. */
const anyCase = (pattern: string): string =>
  pattern.replace(/\[[^\]]*\]|\\.|[a-z]/gi, (part) =>
    part.length === 1 ? `[${part.toLowerCase()}${part.toUpperCase()}]` : part,
  )

interface Line {
  readonly text: string
  readonly shows: boolean
  readonly foldersOnly: boolean
}

function lines({ hide, show }: SecretSettings, coopignore: readonly Pattern[]): Line[] {
  const fixed = (texts: readonly string[], shows: boolean, foldersOnly = false): Line[] =>
    texts.map((text) => ({ text: anyCase(text), shows, foldersOnly }))
  const own = ({ text, foldersOnly, negated }: Pattern, shows: boolean): Line => {
    const bare = (negated ? text.slice(1) : text).replace(/\/$/, '')
    return { text: shows ? bare : anyCase(bare), shows, foldersOnly }
  }
  return [
    ...fixed(BUILT_IN.files, false),
    ...fixed(BUILT_IN.examples, true),
    ...fixed(BUILT_IN.keyFiles, false),
    ...fixed(BUILT_IN.publicCertificates, true),
    ...fixed(BUILT_IN.folders, false, true),
    ...coopignore.filter(({ negated }) => !negated).map((pattern) => own(pattern, false)),
    ...hide.map((pattern) => own(pattern, false)),
    ...show.map((pattern) => own(pattern, true)),
  ]
}

/** Ignored files of the box, before the user's own, which count more. */
export const ignoredSecrets = (settings: SecretSettings, coopignore: readonly Pattern[]): string =>
  lines(settings, coopignore)
    .map(({ text, shows, foldersOnly }) => `${shows ? '!' : ''}${text}${foldersOnly ? '/' : ''}\n`)
    .join('')

/** Attributes: which files pass the filter. */
export const secretAttributes = (settings: SecretSettings, coopignore: readonly Pattern[]): string =>
  lines(settings, coopignore)
    .flatMap(({ text, shows, foldersOnly }) => {
      const within = `${text.includes('/') ? text : `**/${text}`}/**`
      return (foldersOnly ? [within] : shows ? [text] : [text, within]).map(
        (pattern) => `${quoted(pattern)} ${shows ? '!filter' : `filter=${FILTER}`}\n`,
      )
    })
    .join('')

const quoted = (pattern: string): string =>
  /[\s"]/.test(pattern) ? `"${pattern.replace(/["\\]/g, '\\$&')}"` : pattern
