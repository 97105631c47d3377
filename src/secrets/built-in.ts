/** The names that are hidden in every workspace and mount (README, "Secrets"). Compared as folded names (fold.ts). */
import { compilePattern, matches, namesOf, type Pattern } from './gitignore.ts'

/** Private keys and stores of keys: hidden also as examples, because nobody can tell a real one from its name. */
const KEY_FILES =
  '*.pem *.key *.p8 *.p12 *.pfx *.jks *.keystore *.kdbx *.ppk *.ovpn id_rsa* id_dsa* id_ecdsa* id_ed25519*'

const OTHER_FILES = [
  '.env .env.* .envrc',
  '*.tfvars *.tfvars.json *.tfstate*',
  '.netrc _netrc .npmrc .pypirc .git-credentials .htpasswd .dockercfg .pgpass .my.cnf .s3cfg .boto .vault-token',
  'credentials*.json credentials.y*ml service?account*.json *-sa.json client_secret*.json kubeconfig*',
  'secrets.* *.secret *.secrets database.yml',
].join(' ')

const EXAMPLES = '*.example *.sample *.template *.dist'

/** Bundles of public certificates, which TLS clients need: certifi, node, curl, Amazon RDS, gRPC. */
const PUBLIC_CERTIFICATES =
  'cacert.pem cacerts.pem ca-bundle.pem *-ca-bundle.pem ca-certificates.pem global-bundle.pem roots.pem'

const FOLDERS = 'secrets .secrets credentials .aws .kube .ssh .gnupg .docker'

const words = (text: string): string[] => text.split(' ')

/** For documentation, and for the patterns that git in a box ignores. */
export const BUILT_IN = {
  keyFiles: words(KEY_FILES),
  files: words(OTHER_FILES),
  folders: words(FOLDERS),
  examples: words(EXAMPLES),
  publicCertificates: words(PUBLIC_CERTIFICATES),
} as const

/** A quick way to see that a name matches none: most names of a repository are decided by it. */
interface Quick {
  readonly names: ReadonlyMap<string, string>
  /** By the last extension of the name. */
  readonly extensions: ReadonlyMap<string, string>
  /** By the first letter. */
  readonly others: ReadonlyMap<string, readonly Pattern[]>
  readonly anywhere: readonly Pattern[]
}

function compile(patterns: readonly string[]): Quick {
  const names = new Map<string, string>()
  const extensions = new Map<string, string>()
  const others = new Map<string, Pattern[]>()
  const anywhere: Pattern[] = []
  for (const text of patterns) {
    const pattern = compilePattern(text, () => true)
    if (!pattern) continue
    const first = text.charAt(0)
    if (!/[*?[]/.test(text)) names.set(text, text)
    else if (/^\*\.[^*?[.]+$/.test(text)) extensions.set(text.slice(2), text)
    else if (first === '*') anywhere.push(pattern)
    else others.set(first, [...(others.get(first) ?? []), pattern])
  }
  return { names, extensions, others, anywhere }
}

const keyFiles = compile(BUILT_IN.keyFiles)
const files = compile(BUILT_IN.files)
const examples = compile(BUILT_IN.examples)
const publicCertificates = compile(BUILT_IN.publicCertificates)
const folders: ReadonlySet<string> = new Set(BUILT_IN.folders)

function find(quick: Quick, folded: string): string | undefined {
  const exact = quick.names.get(folded)
  if (exact) return exact
  const dot = folded.lastIndexOf('.')
  const byExtension = dot >= 0 ? quick.extensions.get(folded.slice(dot + 1)) : undefined
  if (byExtension) return byExtension
  const candidates = quick.others.get(folded.charAt(0)) ?? []
  if (!candidates.length && !quick.anywhere.some(({ text }) => folded.includes(text.slice(1, 4))))
    return undefined
  const names = namesOf([folded])
  return [...candidates, ...quick.anywhere].find((pattern) => matches(pattern, names, false))?.text
}

/** Whether a name has anything of the built-in ones: most names of a repository have not, and this tells it quickly. */
export function mayBeBuiltIn(name: string): boolean {
  if (BEGINNINGS.has(name.charCodeAt(0) | 0x20)) return true
  const dot = name.lastIndexOf('.')
  if (dot >= 0 && !PLAIN_EXTENSIONS.has(name.slice(dot + 1))) return true
  return ANYWHERE.test(name)
}

const initials = [...BUILT_IN.keyFiles, ...BUILT_IN.files, ...BUILT_IN.folders].map(
  (text) => text.charCodeAt(0) | 0x20,
)
const BEGINNINGS: ReadonlySet<number> = new Set(
  initials.filter((code) => code !== ('*'.charCodeAt(0) | 0x20)),
)
/** Of files that make up most of repositories, and none of ours. */
const PLAIN_EXTENSIONS: ReadonlySet<string> = new Set(
  words(
    'ts js tsx jsx mjs cjs map md json html css scss py pyc go rs c h cc cpp hpp java class rb php txt xml svg png o',
  ),
)
// What patterns with a star at both ends or before a common extension have, and all beyond ASCII.
const ANYWHERE = /[^\0-\x7f]|\.tfvars|\.tfstate|-sa\.json/i

/** The built-in pattern that hides a file with this (folded) name. */
export function hiddenFile(folded: string): string | undefined {
  const key = find(keyFiles, folded)
  if (key) return find(publicCertificates, folded) ? undefined : key
  const other = find(files, folded)
  return other && find(examples, folded) ? undefined : other
}

/** The built-in name that hides a folder with this (folded) name. */
export const hiddenFolder = (folded: string): string | undefined => (folders.has(folded) ? folded : undefined)
