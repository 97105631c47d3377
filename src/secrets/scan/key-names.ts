/** Tells from the name of a value whether it is a secret: `dbPassword` is one, `passwordField` and `public_key` are none. */

export type KeyClass = 'password' | 'secret' | 'key' | 'salt'

/** The words of a name: `aws.secretKey_ID` has aws, secret, key, id. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
}

const PASSWORD =
  /^(?:\w*password\d?|\w*passwd|\w*passwort|pass|\w+pass(?<!by\w*|com\w*|tres\w*)|pwd|\w+pwd|\w*passphrase|passcode|\w*passwrd|contrase\w*|motdepasse|senha)$/
const SECRET =
  /^(?:\w*secret|\w*token|credentials?|creds?|apikey\w?|\w+apikey|\w*secretkey|\w*accesskey|privatekey|authkey|bearer|jwt|pat|mnemonic)$/
const SALT = /^(?:salt|nonce|seed)$/
/** Words before `key` that make it a secret. */
const KEY_KINDS =
  /^(?:api|access|secret|private|priv|encryption|encrypt|decryption|crypto|cipher|signing|signature|sign|auth|authentication|authorization|master|session|service|account|client|app|application|consumer|license|licence|hmac|aes|des|jwt|ssh|token|storage|admin|server|webhook|shared|symmetric|cookie|user|functions?|subscription|integration|write|deploy|bot|maps|xfunctions|machine|host|root|shodan|project|ingest|openai|stripe|wallet)$/
/** What follows the word makes it a property of a secret, not the secret. */
const ABOUT =
  /^(?:name|names|field|fields|label|labels|hint|length|len|size|min|max|regex|regexp|pattern|patterns|policy|format|prefix|suffix|header|headers|param|params|parameter|expiry|expires|expire|expiration|exp|ttl|timeout|count|index|idx|placeholder|title|message|msg|text|error|errors|description|desc|status|provider|endpoint|url|uri|path|file|filename|dir|folder|type|types|kind|version|algorithm|alg|algo|enabled|disabled|required|reset|strength|class|column|attribute|attr|property|confirm|confirmation|icon|input|form|page|view|screen|button|link|id|ids|hash|hashed|hashes|digest|checksum|sha|sha1|sha256|md5|fingerprint|thumbprint|ref|reference|arn|env|var|variable|source|store|manager|service|endpoint|scope|scopes|grant|method|mode|usage|rotation|age|changed|at|date|time|list|map|set|array|enum|schema|validator|validation|rule|rules|match|matches|char|chars|character|characters|symbol|mask|visible|toggle|show|eye|help|example|test|bytes|bits|limit|limits|usages|budget|per|used|handler|handlers|fn|func|callback|event|events|op|code|codes|stream|kinds)$/
const NOT_SECRET =
  /^(?:public|pub|foreign|primary|sort|partition|cache|i18n|translation|locale|row|hash|idempotency|csrf|xsrf|cancel|cancellation|design|syntax|parse|parser|lexer|ast|site|sitekey|publishable|page|pagination|next|continuation|mask|masked|mime|react|map|event|hot|shortcut|keyboard|color|theme|css|no|invalid|wrong|forgot|forgotten|missing|bad|empty|without)$/

const seen = new Map<string, KeyClass | undefined>()
const MOST_SEEN = 4096 // names; code has the same ones again and again

/** Undefined for a name that is not that of a secret. */
export function classOf(name: string): KeyClass | undefined {
  if (seen.has(name)) return seen.get(name)
  if (seen.size >= MOST_SEEN) seen.clear()
  const found = findClass(name)
  seen.set(name, found)
  return found
}

function findClass(name: string): KeyClass | undefined {
  const words = wordsOf(name).map((word) => word.replace(/\d{1,2}$/, '') || word)
  for (let at = words.length - 1; at >= 0; at--) {
    const word = words[at] ?? ''
    const found = classOfWord(word, words[at - 1])
    if (!found) {
      if (ABOUT.test(word)) return undefined
      continue
    }
    // `key` after `secret` is the same thing; what stands before may say that it is public.
    if (
      words.slice(0, at).some((each) => NOT_SECRET.test(each)) ||
      (NOT_SECRET.test(word) && found === 'key')
    )
      return undefined
    return found
  }
  return undefined
}

function classOfWord(word: string, before: string | undefined): KeyClass | undefined {
  if (PASSWORD.test(word)) return 'password'
  if (SECRET.test(word)) return 'secret'
  if (word === 'key' || word === 'keys') return before && KEY_KINDS.test(before) ? 'key' : undefined
  if (SALT.test(word)) return 'salt'
  return undefined
}
