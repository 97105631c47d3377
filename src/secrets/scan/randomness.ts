/** Tells random values from words, and examples from real values. */

const COMMON_PAIRS = new Set(
  // The pairs of letters that make up most of English text and of names in code.
  (
    'th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ' +
    've co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec ' +
    'pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ' +
    'ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab ' +
    'gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ' +
    'ef cu rn sc gi da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht ru ug ds lt pi ' +
    'rc rr eg au ck ew mu br bi pt ak pu ui rg ib tl ny ki rk ys ob mm fu ph og ms ye ud mb ip'
  ).split(' '),
)

/** The share of a text's neighbouring letters that are common pairs: words have most, random letters about a third. */
function wordShare(text: string): number {
  let pairs = 0
  let common = 0
  for (const word of text.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/)) {
    for (let at = 0; at + 1 < word.length; at++) {
      pairs++
      if (COMMON_PAIRS.has(word.slice(at, at + 2).toLowerCase())) common++
    }
  }
  return pairs < 3 ? 0 : common / pairs
}

/** Shannon's entropy in bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
export const isUuid = (text: string): boolean => UUID.test(text)

/** How many of the four classes a text has: small letters, capitals, digits, other signs. */
export function classes(text: string): number {
  return [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9\s]/].filter((each) => each.test(text)).length
}

const MOST_WORDS = 0.58 // of pairs; names in code have 0.65 and more, random letters 0.31
const FEWEST = 12 // characters; shorter ones cannot be told from abbreviations

/** Whether a value looks like the output of a random generator: hex, base64, or letters, digits and signs. */
export function looksRandom(value: string): boolean {
  if (value.length < FEWEST || /\s/.test(value) || isUuid(value)) return false
  if (/^[0-9a-f]+$/i.test(value)) return value.length >= 16 && /\d/.test(value) && entropy(value) >= 2.7
  if (!/\d/.test(value) && !(/[a-z][A-Z].*[a-z][A-Z]/.test(value) && value.length >= 20)) return false
  const digits = value.replace(/\D/g, '').length
  if (digits / value.length > 0.9 || entropy(value) < Math.min(3.2, Math.log2(value.length) * 0.78))
    return false
  // A word with a number behind it, or numbered parts of a name, are not random; several changes within are.
  const parts = value.split(/[^A-Za-z0-9]+/).filter(Boolean)
  const changes = parts.reduce(
    (sum, part) => sum + (part.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])/g)?.length ?? 0),
    0,
  )
  return wordShare(value) < MOST_WORDS && changes >= Math.max(2, value.length / 10)
}

const SEQUENCES = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiop',
  'zyxwvutsrqponm',
  '9876543210',
]
const RUN = 7

/** Whether the random part of a token is one that documentation shows: `xxxx`, `1234567890`, `EXAMPLE`. */
export function isExample(value: string): boolean {
  if (
    /(.)\1{6}/.test(value) ||
    /example|sample|placeholder|dummy|x{6}|redacted|changeme|your[-_]?/i.test(value)
  )
    return true
  if (/^(.{2,12})\1{2,}.{0,11}$/.test(value)) return true
  if (value.length >= 12 && new Set(value).size <= 4) return true
  const low = value.toLowerCase()
  let inRuns = 0
  for (let at = 0; at + RUN <= low.length; at++) {
    const run = low.slice(at, at + RUN)
    if (SEQUENCES.some((each) => each.includes(run))) inRuns++
  }
  return inRuns * 2 > low.length - RUN || inRuns >= 6
}

const PLACES =
  /\$\{|\{\{|\$\(|%\(|<%|#\{|%[sdv@]\b|\{[\w.\s]*\}|^\$[A-Za-z_]|^%\w+%$|^<.*>$|^\[.*\]$|^__\w+__$|^@[\w.]+@$|\.\.\.|…|\*{3}|^-+$|^\.+$/
const REFERENCES =
  /^(?:ENC[[(]|vault:|vault:v\d:|op:\/\/|arn:|secret:\/\/|ref:|ref\+|aws-sm:|sm:\/\/|gcp:|akv:|keyring:|env:|file:|command:|\$ANSIBLE_VAULT|\{cipher\}|\{vault\}|AgA[A-Za-z0-9+/]{200})|process\.env|os\.environ|getenv|import\.meta|secrets\.|config\.|System\./
const WORDS =
  /change[-_ ]?(?:me|this|it)|replace|your[-_ ]|yourpass|yoursecret|yourtoken|my[-_ ]?(?:secret|password|token|api|key)\b|example|sample|dummy|placeholder|fixme|\btodo\b|^x{3}|x{4}|redacted|removed|masked|hidden|insert|enter|fill[-_ ]?in|goes[-_ ]?here|[-_ ]here\b|\bnot[-_ ]|\bfake|\bmock|\bstub|lorem|foobar|foo[-_]?bar|<\w/i

/** Whether a value stands for one that is put in later: variables, templates, words such as `changeme`. */
export function isPlaceholder(value: string): boolean {
  return PLACES.test(value) || REFERENCES.test(value) || WORDS.test(value) || isExample(value)
}

const ALGORITHMS =
  /^(?:hmac[-_]?)?(?:sha|md|aes|des|rsa|ecdsa|ed|hs|rs|es|ps|x|argon|bcrypt|scrypt|pbkdf|utf|base|oauth|http|ssha|v|win|ipv)[-_]?\d{0,5}(?:[-_./ ][a-z\d-_]*|[a-z]{0,4})$/i
/** Hashes of passwords (crypt(5), htpasswd, LDAP): no value that opens anything. */
const HASHES =
  /^(?:\$(?:1|2[abxy]?|5|6|y|apr1|argon2\w*|pbkdf2\S*|scrypt)\$|\{S?SHA\d*\}|pbkdf2[:_]|sha\d+[-:$])/i

/** Whether a value is a name, a path, an address, an algorithm, a hash or code, and so no secret. */
export function isOrdinary(value: string): boolean {
  return (
    HASHES.test(value) ||
    /^[\w-]+:[x*!]?:\d/.test(value) || // of passwd(5) or group(5)
    (ALGORITHMS.test(value) && value.length < 24) ||
    /^[A-Za-z_$][\w$]*(?:\(|\.[A-Za-z_$][\w$]*\()/.test(value) || // a call
    /^[a-z][\w+.-]*:\/\//i.test(value) || // an address; one with a password is another kind
    /^(?:~|\.{1,2})?\/[\w.@-]+(?:\/[\w.@-]*)*$/.test(value) || // a path
    /^(?:[\w-]+\/)+[\w-]+\.\w{1,5}$/.test(value) ||
    /^[#.@][A-Za-z][\w-]*$/.test(value) || // a selector, a decorator
    /^[\w-]+\.(?:[jt]sx?|json|ya?ml|pem|key|crt|txt|html?|py|go|rb|php|conf|md|xml|env|toml|png|svg)$/i.test(
      value,
    ) ||
    /^[a-z]+(?:[A-Z][a-z]*)+\d?$/.test(value) || // camelCase
    /^[A-Z][a-z]+(?:[A-Z][a-z]+)+\d?$/.test(value) ||
    /^[A-Za-z]+(?:[-_.:/ ][A-Za-z]+)+\d?$/.test(value) || // words and separators
    /^[A-Za-z]+(?:[-_.][A-Za-z0-9]+)*\.[A-Za-z]{2,}$/.test(value) || // a host or a dotted name
    /^\d+(?:\.\d+)+$/.test(value) ||
    /^[a-z]+(?:[-_.](?:[a-z]+|\d{1,2}))+$/.test(value) || // the name of a package
    isUuid(value)
  )
}
