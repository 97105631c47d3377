/** The rules for values that are given to a name: `password = "…"`, `api_key: …`, `--token …`, `<secret>…</secret>`. */
import { CONTEXT_KINDS } from './context-kinds.ts'
import { isLockFile, isMinified, isTranslation, styleOf } from './files.ts'
import type { Anchor, Piece } from './finder.ts'
import { classOf, type KeyClass, wordsOf } from './key-names.ts'
import { classes, isOrdinary, isPlaceholder, looksRandom } from './randomness.ts'
import { readTable } from './tokens.ts'

/** What begins a name that may be a secret's, or is in it. */
const WORDS =
  'pass pwd secret token key credential creds salt nonce seed mnemonic contrase senha motdepasse jwt bearer'.split(
    ' ',
  )

const RANK = 5
const NAMED_RANK = 4
const LONGEST_NAME = 80
const LONG_LINE = 1000 // characters; no person writes such lines

const isNameCode = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95 ||
  code === 45 ||
  code === 46 ||
  code === 36

const STRING = String.raw`(?:[bBrRuUfFL@$]{0,2})(?<quote>\\?["'${'`'}])(?<value>(?:(?!\k<quote>)[^\\\r\n]|\\(?!["'])[^\r\n]|(?<!\\)\\["']){1,1300}?)\k<quote>`
/** Between a name and its value. */
const QUOTED = new RegExp(
  String.raw`(?:\\?["'${'`'}])?\]{0,2}(?:\?|!)?[ \t]{0,24}(?:(:=|=>|->|={1,3}|!={1,2}|\?=|\|\|=?|\?\?=?|or|:|,|\()|:[ \t]*[\w.<>\[\]|? ]{1,40}?=)[ \t]{0,24}(?:(?:\[\]byte|Buffer\.from|String|new \w{1,20})?\(?[ \t]*)${STRING}`,
  'y',
)
/** `os.environ.get("NAME") or "value"`, and values on the next line of YAML or JSON: `name: NAME`, `value: …`. */
const PAIR = new RegExp(
  String.raw`\\?["']?(?:\)[ \t]*(?:or|\|\||\?\?)[ \t]*|,?[ \t]*\r?\n[ \t]*["']?value["']?[ \t]*:[ \t]*|,?[ \t]+["']?(?:value|defaultValue)["']?[ \t]*[:=][ \t]*)(?:${STRING}|(?<bare>[^\s"'#,{}<>]{6,200})(?=[ \t]*(?:\r?\n|$)))`,
  'y',
)
const XML = /(?:\s[^<>]{0,80})?>([^<>\s]{4,200})<\//y
const SQL = / (?:=[ \t]*)?'([^'\r\n]{4,200})'/y
const OPTION = /(?:=|[ \t]+)(?:(["'])([^"'\r\n]{4,200})\1|([^\s"'`$<>[\]{}()|;&,]{6,200}))/y
const BARE = /["']?[ \t]{0,24}(?::=|=|:)[ \t]{0,24}([^\s"'`;,<>|&(){}][^\r\n]{0,400})/y

interface ContextKind {
  readonly kind: string
  readonly names: readonly string[]
  readonly value: RegExp
}

/** Kinds that the name decides together with the form of the value. */
export const contextKinds = (): ContextKind[] =>
  readTable(CONTEXT_KINDS).map(([kind = '', names = '', pattern = '']) => ({
    kind,
    names: names.split('|'),
    value: new RegExp(`^(?:${pattern})$`),
  }))

let contexts: ContextKind[] | undefined

function contextOf(name: string, value: string): string | undefined {
  contexts ??= contextKinds()
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return contexts.find(
    ({ names, value: form }) => names.some((each) => plain.includes(each)) && form.test(value),
  )?.kind
}

const KINDS: Readonly<Record<KeyClass, string>> = {
  password: 'password',
  secret: 'generic-secret',
  key: 'generic-key',
  salt: 'salt-or-nonce',
}

interface Found {
  readonly value: string
  /** As it is in the text, with its backslashes. */
  readonly raw: string
  readonly quoted: boolean
  /** Given as an argument after the name, or compared with it: names and labels stand there, too. */
  readonly loose: boolean
}

export function assignmentAnchors(): Anchor[] {
  let seenIn: Piece | undefined
  let seenTo = 0
  return WORDS.map((word) => ({
    text: word,
    anyCase: true,
    look(piece, at) {
      const { text } = piece
      // A name with two of the words is looked at once.
      if (seenIn === piece && at < seenTo) return
      let end = at + word.length
      const stop = Math.min(text.length, at + LONGEST_NAME)
      while (end < stop && isNameCode(text.charCodeAt(end))) end++
      let start = at
      const least = Math.max(0, at - LONGEST_NAME)
      while (start > least && isNameCode(text.charCodeAt(start - 1))) start--
      seenIn = piece
      seenTo = end
      if (end === stop || !mayFollow(text.charCodeAt(end))) return
      look(piece, start, end)
    },
  }))
}

/** Quotes, brackets, blanks, `=`, `:`, `,`, `>`, `?`, `!`, `|` and backslash: what can stand between name and value. */
function mayFollow(code: number): boolean {
  return (
    code === 61 ||
    code === 58 ||
    code === 34 ||
    code === 39 ||
    code === 32 ||
    code === 93 ||
    code === 40 ||
    code === 44 ||
    code === 62 ||
    code === 9 ||
    code === 92 ||
    code === 96 ||
    code === 63 ||
    code === 33 ||
    code === 41 ||
    code === 10 ||
    code === 124
  )
}

function look(piece: Piece, start: number, end: number): void {
  const { text, path } = piece
  if (isLockFile(path)) return
  const name = text.slice(start, end).replace(/^[-.$]+|[-.]+$/g, '')
  const key = classOf(name)
  if (!key) return
  const found = valueAfter(piece, start, end, key)
  if (!found) return
  const { value } = found
  const at = text.indexOf(found.raw, end)
  const context = contextOf(
    `${text.slice(Math.max(lineStart(text, start), start - 60), start)} ${name}`,
    value,
  )
  if (isPlaceholder(context ? value.replace(/^(.)\1+/, '') : value)) return
  if (context) piece.hit({ start: at, end: at + value.length, kind: context, rank: NAMED_RANK })
  else if (isSecret(key, name, found, piece, at))
    piece.hit({ start: at, end: at + value.length, kind: KINDS[key], rank: RANK })
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

function valueAfter({ text, path }: Piece, start: number, end: number, key: KeyClass): Found | undefined {
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = end
    return pattern.exec(text)
  }
  const before = text.charAt(start - 1)
  const quoted = match(QUOTED)
  if (quoted) {
    const sign = quoted[1] ?? ''
    const value = quoted.groups?.value ?? ''
    const isDefault = sign === ',' && /^[A-Z][A-Z0-9_]+$/.test(text.slice(start, end)) // getenv("NAME", "value")
    const loose = (sign === ',' && !isDefault) || sign.startsWith('!') || sign.startsWith('==')
    if (sign === ',' && !/["'`]/.test(before)) return undefined // of a list of variables
    if (
      sign === '(' &&
      !/^(?:set|with|add|use|password|secret|token|api)/i.test(text.slice(start, end).replace(/^.*\./, ''))
    )
      return undefined
    return { value: unescaped(value), raw: value, quoted: true, loose }
  }
  const pair = match(PAIR)
  if (pair) {
    const inQuotes = pair.groups?.value
    const value = inQuotes ?? pair.groups?.bare
    if (value !== undefined)
      return { value: unescaped(value), raw: value, quoted: inQuotes !== undefined, loose: false }
  }
  if (before === '<' || before === ':') {
    const value = match(XML)?.[1]
    if (value !== undefined) return { value, raw: value, quoted: true, loose: false }
  }
  const line = text.slice(Math.max(lineStart(text, start), start - 200), start)
  if (
    /(?:identified|encrypted|with|user\s.*)\s*$/i.test(line) ||
    /^\s*(?:create|alter)\s+(?:user|role)\b/i.test(line)
  ) {
    const value = match(SQL)?.[1]
    if (value !== undefined) return { value, raw: value, quoted: true, loose: false }
  }
  if (/^-{1,2}/.test(text.slice(start, end)) || /(?:^|\s)-D[\w.]*$/.test(line)) {
    const option = match(OPTION)
    const value = option?.[2] ?? option?.[3]
    // After an option without a value the next word may be anything.
    if (value !== undefined) return { value, raw: value, quoted: false, loose: true }
  }
  if (
    /(?:\blogin|\buser|\baccount)[ \t]+\S+\s+$/.test(line) &&
    /\b(?:machine|default)\b/.test(text.slice(Math.max(0, start - 200), start))
  ) {
    const value = /^[ \t]+(\S{3,200})/.exec(text.slice(end, end + 210))?.[1]
    if (value !== undefined) return { value, raw: value, quoted: true, loose: false }
  }
  return bareAfter(text, path, start, match(BARE), line, key)
}

/** A value without quotes: of a configuration file, or in a line such as `export NAME=value`. */
function bareAfter(
  text: string,
  path: string,
  start: number,
  match: RegExpExecArray | null,
  line: string,
  key: KeyClass,
): Found | undefined {
  const style = styleOf(path)
  const raw = match?.[1]
  if (raw === undefined || key === 'salt') return undefined
  const shell =
    /^\s*(?:[-*$#>]\s+|export\s+|set\s+|ENV\s+|ARG\s+|-e\s+|docker .*-e\s+|env\s+)*(?:\w+=\S*\s+)*(?:[A-Z][A-Z0-9_]*)?$/.test(
      line,
    )
  const isShell = shell && /^[A-Z][A-Z0-9_]+=\S/.test(text.slice(start, start + LONGEST_NAME + 2))
  const starts =
    /^[\s>-]*(?:export\s+|set\s+|ENV\s+|ARG\s+|[\w.]+\.)?["']?$/.test(line) || /[;?&,\s]$/.test(line)
  if (
    style === 'code'
      ? !isShell || /\.(?:css|html?|[cm]?[jt]sx?)$/i.test(path)
      : style === 'other'
        ? !isShell
        : !starts
  )
    return undefined
  const value = raw.replace(/\s+[#;].*$/, '').replace(/[\s,;]+$/, '')
  if (/\s/.test(value) || value.length < 4 || /^[!*&>|@`]/.test(value) || /[({]/.test(value)) return undefined
  return { value, raw: value, quoted: false, loose: false }
}

const unescaped = (value: string): string => value.replace(/\\(["'\\/])/g, '$1').replace(/(?:\\[nr])+$/, '')

/** Words that stand in the place of a password and are none. */
const NO_PASSWORDS =
  /^(?:(?:new|old|current|confirm|user|admin|my|the|your|db|a|no|any|some|valid|invalid|correct|wrong|bad|good|weak|strong|test|default|repeat)?[-_ ]?(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|key|credentials?|api[-_]?key|api[-_]?token)s?\d?|null|none|nil|true|false|undefined|empty|string|text|number|boolean|object|required|optional|hidden|input|field|value|test|username|user|login|email|name|default|auto|prompt|ask|disabled|enabled|unset|bearer|basic|oauth\d?|jwt|plain|sha\d+|md5|bcrypt|off|yes|no|on|file|env|keychain|keyring|vault|pass|store|never|always|random|generated|generate|unknown|missing|blank|int|str|char\*?|varchar|void|any|const|self|this|type)$/i

function isSecret(
  key: KeyClass,
  name: string,
  { value, quoted, loose }: Found,
  piece: Piece,
  at: number,
): boolean {
  const { path, text } = piece
  if (isTranslation(path) && !looksRandom(value)) return false
  if (value.length > 512 || NO_PASSWORDS.test(value) || isOrdinary(value))
    return key !== 'password' && looksRandom(value) && !isOrdinary(value)
  if (wordsOf(value).join('') === wordsOf(name).join('')) return false
  const random = looksRandom(value)
  const strict = loose || isMinified(path) || isInLongLine(text, at)
  if (key === 'salt') return quoted && random && value.length >= 16 && !strict
  if (key === 'key') return random && value.length >= (strict ? 20 : 16)
  if (key === 'secret') return random ? value.length >= (strict ? 16 : 12) : !strict && isStrong(value)
  if (/\s/.test(value) && !/passphrase|mnemonic/i.test(name)) return false
  if (strict) return (random || isStrong(value)) && !isInLongLine(text, at) && !isMinified(path)
  return isPassword(value, quoted, path)
}

/** Letters, digits and signs together, as a person makes them: `Tr0ub4dor&3`. */
function isStrong(value: string): boolean {
  return (
    value.length >= 8 &&
    value.length <= 64 &&
    !/\s/.test(value) &&
    /\d/.test(value) &&
    classes(value) >= 3 &&
    !/^[\w.]+[([]|[;{}]|=>|^[\w-]+=|:.*:/.test(value)
  )
}

function isPassword(value: string, quoted: boolean, path: string): boolean {
  if (value.length < 4 || (/^[\d.]+$/.test(value) && value.length < 6)) return false
  if (/[(){};<>]|=>|\$\w/.test(value) && classes(value) < 4) return false
  if (/\d/.test(value) && /[A-Za-z]/.test(value)) return value.length >= 5
  if (classes(value) >= 2 && /[^A-Za-z0-9\s_.:/-]/.test(value)) return value.length >= 6
  // One word: in code it names something, in a configuration it is a weak password.
  return !quoted || styleOf(path) === 'plain' ? /^[A-Za-z]{6,}$/.test(value) || /^\d{6,}$/.test(value) : false
}

function isInLongLine(text: string, at: number): boolean {
  const start = lineStart(text, at)
  if (at - start > LONG_LINE) return true
  const end = text.indexOf('\n', at)
  return (end < 0 ? text.length : end) - start > LONG_LINE
}
