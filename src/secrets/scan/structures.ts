/** The rules for secrets that have a form of their own: keys in PEM, addresses with passwords, web tokens, headers. */

import { isLockFile } from './files.ts'
import type { Anchor, Hit, Piece } from './finder.ts'
import { classes, isExample, isOrdinary, isPlaceholder, looksRandom } from './randomness.ts'

interface Structure {
  readonly kind: string
  readonly anchors: readonly string[]
  readonly anyCase?: true
  /** Matches from the anchor on. */
  readonly pattern: RegExp
  /** The group that is the secret; the first one if it is left out. */
  readonly group?: number
  /** Whether this secret is real. `before` is what stands left of the anchor in the line. */
  accepts?(secret: string, match: RegExpExecArray, before: string): boolean
}

const RANK = 1
const BEFORE = 200

const isReal = (value: string): boolean => !isPlaceholder(value)
const isRandom = (value: string): boolean => isReal(value) && looksRandom(value)

/** A key follows its first line: in documentation and in code that looks for keys, none does. */
const PEM = (words: string): RegExp =>
  new RegExp(
    String.raw`-----BEGIN ${words}-----(?:\\[nr]|[\s"'+,\\>|*#/;)]|(?:Proc-Type|DEK-Info|Comment|Version|Charset|Hash):[^\r\n\\]{0,80}|&#10;){1,60}([A-Za-z0-9+/=]{24,})`,
    'y',
  )

function isUrlPassword(secret: string, user: string, host: string): boolean {
  if (!isReal(secret) || secret.length < 3) return false
  if (secret.toLowerCase() === user.toLowerCase()) return false // postgres:postgres@, guest:guest@: as delivered
  if (
    /^(?:pass(?:word|wd)?|pwd|pw|secret|token|key|p|x|test|admin|root|user\w*|foo|bar|baz|hunter2|x-oauth-basic|none|null|\d{1,5})$/i.test(
      secret,
    )
  )
    return false
  if (/(?:^|\.)(?:example|test|invalid)(?:\.(?:com|org|net))?(?::|$)/i.test(host) && !looksRandom(secret))
    return false
  return !/^[:/\d]/.test(host) && !/[`"'()\\]/.test(secret)
}

function isBasic(secret: string): boolean {
  if (isExample(secret)) return false
  const text = Buffer.from(secret, 'base64').toString('latin1')
  const [, user = '', password = ''] = /^([\x20-\x7e]*?):([\x20-\x7e]+)$/.exec(text) ?? []
  return (
    password.length >= 4 &&
    isReal(password) &&
    password !== user &&
    !/^(?:pass(?:word)?|secret|test|open sesame)$/i.test(password)
  )
}

export const STRUCTURES: readonly Structure[] = [
  {
    kind: 'private-key',
    anchors: ['-----BEGIN'],
    pattern: PEM('(?:[A-Z0-9]{2,10} ){0,2}PRIVATE KEY'),
    accepts: (key) => !isExample(key.slice(0, 64)),
  },
  { kind: 'pgp-private-key', anchors: ['-----BEGIN'], pattern: PEM('PGP PRIVATE KEY BLOCK') },
  {
    kind: 'ssh2-private-key',
    anchors: ['---- BEGIN SSH2 ENCRYPTED'],
    pattern: /---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\s+(?:[\w-]+:[^\n]*\s+)*([A-Za-z0-9+/=]{24,})/y,
  },
  {
    kind: 'putty-private-key',
    anchors: ['PuTTY-User-Key-File-'],
    pattern:
      /PuTTY-User-Key-File-\d: [\w-]+\r?\n(?:[\s\S]{0,3000}?)Private-Lines: \d+\r?\n([A-Za-z0-9+/=]{24,})/y,
  },
  {
    kind: 'wireguard-private-key',
    anchors: ['PrivateKey'],
    pattern: /PrivateKey\s*=\s*([A-Za-z0-9+/]{43}=)/y,
    accepts: isReal,
  },
  {
    kind: 'json-web-key',
    anchors: ['"d"'],
    pattern: /"d"\s*:\s*"([A-Za-z0-9_-]{42,700})"/y,
    accepts: isRandom,
  },
  {
    kind: 'json-web-token',
    anchors: ['eyJ'],
    pattern:
      /(eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,6000}\.[A-Za-z0-9_-]{20,1200})(?![A-Za-z0-9_-])/y,
    // jwt.io's own example has been copied everywhere.
    accepts: (secret, _, before) =>
      !/\.SflKxwRJSM|\.TJVA95OrM7E2/.test(secret) &&
      !isExample(secret.slice(-20)) &&
      !/[A-Za-z0-9]$/.test(before),
  },
  {
    kind: 'url-password',
    anchors: ['://'],
    pattern:
      /:\/\/(?=[^\s/]{0,300}@)([^\s/:@'"`<>{}()|\\^]{0,100}):([^\s/@'"`<>{}|\\]{3,200})@([^\s/'"`<>?#]{1,200})/y,
    accepts: (secret, [, user = '', , host = ''], before) =>
      /[a-z][a-z0-9+.-]*$/i.test(before) && isUrlPassword(secret, user, host),
    group: 2,
  },
  {
    kind: 'url-token',
    anchors: ['://'],
    pattern: /:\/\/([^\s/:@'"`<>{}()|\\]{16,200})@[A-Za-z0-9.-]+\.[a-z]{2,}/y,
    accepts: (secret, _, before) =>
      /https?$/i.test(before) &&
      isRandom(secret) &&
      !/\.[a-z]{2,4}$/.test(secret) &&
      !/^[a-f0-9]{32}$/.test(secret),
  },
  {
    kind: 'url-parameter',
    anchors: ['access_token=', 'api_key=', 'apikey=', 'client_secret=', 'auth_token=', '&sig=', '&token='],
    pattern: /&?\w+=([A-Za-z0-9%_~.+/-]{16,400})/y,
    accepts: (secret, _, before) => /[?&]$|\?[^\s"']*$/.test(before) && isRandom(secret),
  },
  {
    kind: 'basic-authorization',
    anchors: ['basic '],
    anyCase: true,
    pattern: /basic ([A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])/iy,
    accepts: isBasic,
  },
  {
    kind: 'bearer-token',
    anchors: ['bearer '],
    anyCase: true,
    pattern: /bearer ([A-Za-z0-9_~+/.=-]{16,2000})(?![A-Za-z0-9])/iy,
    accepts: isRandom,
  },
  {
    kind: 'authorization-header',
    anchors: ['authorization', 'x-api-key', 'x-auth-token', 'x-vault-token', 'private-token'],
    anyCase: true,
    pattern:
      /[\w-]+["']?\s{0,4}[:=,]\s{0,4}["']?(?:token |key |apikey |ssws |genie-?key )?([A-Za-z0-9_~+/.=-]{16,400})(?![A-Za-z0-9])/iy,
    accepts: isRandom,
  },
  {
    kind: 'docker-auth',
    anchors: ['"auth"'],
    pattern: /"auth"\s*:\s*"([A-Za-z0-9+/]{8,2000}={0,2})"/y,
    accepts: isBasic,
  },
  {
    kind: 'docker-identity-token',
    anchors: ['"identitytoken"'],
    pattern: /"identitytoken"\s*:\s*"([A-Za-z0-9_.=-]{16,2000})"/y,
    accepts: isReal,
  },
  {
    kind: 'npmrc-auth',
    anchors: ['_authToken', '_auth', '_password'],
    pattern: /(?:_authToken|_auth|_password)\s?=\s?["']?([A-Za-z0-9+/_=-]{8,400})["']?[ \t]*(?=\r?\n|$)/y,
    accepts: (secret, _, before) =>
      isReal(secret) &&
      /^\s*$|^\s*(?:\/\/[^\s]+:|npm (?:config )?set .*)$/.test(before) &&
      classes(secret) >= 2,
  },
  {
    kind: 'connection-string',
    anchors: ['accountkey=', 'sharedaccesskey=', 'sharedsecret=', 'accesskey='],
    anyCase: true,
    pattern: /\w+=([A-Za-z0-9+/]{30,100}={0,2})(?![A-Za-z0-9+/])/iy,
    accepts: isReal,
  },
  {
    kind: 'connection-string',
    anchors: ['password=', 'pwd='],
    anyCase: true,
    pattern: /\w+=([^;"'\s&]{4,128})(?=;|"|'|$)/iy,
    accepts: (secret, _, before) =>
      /(?:server|host|data source|user id|uid|username|user|database|endpoint|dbname)\s*=[^;]*;[^"']*$/i.test(
        before,
      ) &&
      isReal(secret) &&
      !/[(){}]|^(?:password|pass|secret)$|^\w+\.\w+/i.test(secret),
  },
  {
    kind: 'azure-sas',
    anchors: ['sig='],
    pattern: /sig=([A-Za-z0-9%]{43,80}%3[dD])/y,
    accepts: (_s, _, before) => /s[rvept]=/.test(before),
  },
  {
    kind: 'azure-client-secret',
    anchors: ['Q~'.padStart(3, '7'), ...'0123456'.split('').map((d) => `${d}Q~`), '8Q~', '9Q~'],
    pattern: /\dQ~([A-Za-z0-9_~.-]{31,34})(?![A-Za-z0-9_~.-])/y,
    accepts: (secret, _, before) => /(?:^|[^\w~.-])[\w~.-]{3}$/.test(before) && isRandom(secret),
  },
  {
    kind: 'aws-secret-key',
    anchors: ['aws_secret_access_key', 'secretAccessKey', 'SecretAccessKey', 'AWS_SECRET_ACCESS_KEY'],
    pattern: /\w+["']?\s{0,4}(?:=>|[:=,])\s{0,4}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/y,
    accepts: (secret) => isReal(secret) && classes(secret) >= 3,
  },
  {
    kind: 'telegram-bot-token',
    anchors: [':AA'],
    pattern: /:(AA[A-Za-z0-9_-]{33})(?![A-Za-z0-9_-])/y,
    accepts: (secret, _, before) => /(?:^|\D)\d{8,10}$/.test(before) && isReal(secret) && /\d/.test(secret),
  },
  {
    kind: 'curl-password',
    anchors: ['curl '],
    pattern: /curl [^\n]{0,200}?(?:-u|--user)[ =]?["']?[\w.@-]+:([^\s"':]{4,100})/y,
    accepts: (secret) =>
      isReal(secret) &&
      !/^(?:pass(?:word)?|secret|token)$/i.test(secret) &&
      !/^\$/.test(secret) &&
      !isOrdinary(secret),
  },
  {
    kind: 'sshpass-password',
    anchors: ['sshpass'],
    pattern: /sshpass -p ?["']?([^\s"'$]{4,100})/y,
    accepts: (secret) => isReal(secret) && !/^(?:pass(?:word)?|secret)$/i.test(secret),
  },
  {
    kind: 'mysql-password',
    anchors: ['mysql', 'mysqldump', 'mysqladmin'],
    pattern: /mysql\w*\b[^\n|;&]{0,120}? -p([^\s"'$<=]{5,60})/y,
    accepts: (secret) =>
      isReal(secret) && (/\d/.test(secret) || classes(secret) > 2) && !/^(?:assword|ort)/.test(secret),
  },
  {
    kind: 'sql-password',
    anchors: ['identified by'],
    anyCase: true,
    pattern: /identified by (?:password )?["']([^"'\r\n]{4,100})["']/iy,
    accepts: (secret) => isReal(secret) && !/^(?:pass(?:word)?|secret|\*[0-9A-F]{40})$/i.test(secret),
  },
  {
    kind: 'password',
    anchors: ['ConvertTo-SecureString'],
    pattern: /ConvertTo-SecureString\s+(?:-String\s+)?["']([^"'$]{4,100})["']/y,
    accepts: isReal,
  },
  {
    kind: 'mnemonic',
    anchors: ['mnemonic', 'seed_phrase', 'seedphrase', 'recovery_phrase'],
    anyCase: true,
    pattern:
      /\w+["']?\s{0,4}[:=]\s{0,4}["'`]?((?:[a-z]{3,8} ){11}(?:(?:[a-z]{3,8} ){3}){0,4}[a-z]{3,8})["'`\s]/iy,
    accepts: (secret) => new Set(secret.split(' ')).size >= 9,
  },
  {
    kind: 'pgpass-password',
    anchors: [':5432:', ':*:'],
    pattern: /:(?:5432|\*):[\w*-]+:[\w*-]+:(\S{4,100})(?=\s|$)/y,
    accepts: (secret, _, before) => /^[\w.*-]+$/.test(before) && isReal(secret),
  },
  {
    kind: 'ansible-vault-password',
    anchors: ['vault_password'],
    pattern: /vault_password\s*[:=]\s*["']?([^\s"'{]{6,80})/y,
    accepts: (secret) => isReal(secret) && classes(secret) >= 2 && !isOrdinary(secret),
  },
]

export function structureAnchors(): Anchor[] {
  return STRUCTURES.flatMap(({ kind, anchors, anyCase, pattern, group = 1, accepts }, order) =>
    anchors.map((text) => ({
      text: anyCase ? text.toLowerCase() : text,
      anyCase: anyCase === true,
      look(piece: Piece, at: number) {
        pattern.lastIndex = at
        const match = pattern.exec(piece.text)
        if (!match || (isLockFile(piece.path) && kind !== 'url-password')) return
        const secret = match[group] ?? match[0]
        const before = piece.text.slice(Math.max(piece.text.lastIndexOf('\n', at - 1) + 1, at - BEFORE), at)
        if (accepts && !accepts(secret, match, before)) return
        const start = at + match[0].lastIndexOf(secret)
        const hit: Hit = {
          start: kind.endsWith('private-key') ? at : start,
          end: start + secret.length,
          kind,
          rank: RANK + order / 100,
        }
        piece.hit(hit)
      },
    })),
  )
}
