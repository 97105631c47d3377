import { describe, expect, test } from 'bun:test'
import { contextKinds } from './assignments.ts'
import { checksumOf } from './checksums.ts'
import { CAPITALS, DIGITS, LETTERS, letters, sample, seeded } from './sampling.ts'
import { scanBytes } from './scanner.ts'
import { tokenKinds } from './tokens.ts'

const kindsIn = (text: string, path = 'src/a.ts'): string[] =>
  scanBytes(path, Buffer.from(text)).findings.map(({ kind }) => kind)

/** A value of a kind of token. */
function token(
  { prefixes, pattern, checksum }: ReturnType<typeof tokenKinds>[number],
  random: () => number,
): string {
  const value = sample(pattern, random)
  const prefix = prefixes[Math.floor(random() * prefixes.length)] ?? ''
  return prefix + (checksum ? value.slice(0, -6) + checksumOf(value.slice(0, -6)) : value)
}

const PLACES = [
  (value: string) => `const client = connect("${value}")`,
  (value: string) => `value: ${value}\n`,
  (value: string) => `curl -H 'X-Thing: ${value}' https://service.internal/`,
  (value: string) => `text in front ${value}, and behind`,
]

test('there are a few hundred kinds, each with a name of its own', () => {
  const names = tokenKinds().map(({ kind }) => kind)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length + contextKinds().length).toBeGreaterThan(280)
})

describe('tokens that are known by how they begin', () => {
  for (const [index, kind] of tokenKinds().entries())
    test(kind.kind, () => {
      const random = seeded(index + 1)
      for (let n = 0; n < 12; n++) {
        const value = token(kind, random)
        for (const place of PLACES) expect([value, kindsIn(place(value)).length > 0]).toEqual([value, true])
        // Cut off, inside of a word, and as documentation shows it, it is none.
        const short = value.slice(0, Math.max(...kind.prefixes.map((each) => each.length)) + 4)
        expect([short, kindsIn(`x = ["${short}"]`)]).toEqual([short, []])
        if (/^[A-Za-z]/.test(value) && !value.startsWith('http') && !value.includes('://'))
          expect([value, kindsIn(`x = ["Ab9${value}"]`).includes(kind.kind)]).toEqual([value, false])
        const prefix = kind.prefixes.find((each) => value.startsWith(each)) ?? ''
        const shown = prefix + value.slice(prefix.length).replace(/[A-Za-z0-9]/g, 'x')
        expect([shown, kindsIn(`x = ["${shown}"]`)]).toEqual([shown, []])
      }
    })

  test('a token whose checksum is wrong was never any', () => {
    const body = letters(seeded(7), 30)
    const good = `ghp_${body}${checksumOf(body)}`
    const last = good.endsWith('A') ? 'B' : 'A'
    expect(kindsIn(`x = ["${good}"]`)).toEqual(['github-token'])
    expect(kindsIn(`x = ["${good.slice(0, -1)}${last}"]`)).toEqual([])
  })

  test("the checksum is the one that GitHub's article shows", () => {
    expect(checksumOf(['zQWBuTSOoRi4A9sp', 'HcVY5ncnsDkxkJ'].join(''))).toBe('0mLq17')
  })
})

describe('values that their name tells apart', () => {
  for (const [index, { kind, names, value: form }] of contextKinds().entries())
    test(kind, () => {
      const random = seeded(index + 1000)
      const pattern = form.source.slice(4, -2)
      let seen = 0
      for (let n = 0; n < 20; n++) {
        const value = sample(pattern, random)
        const name = names[n % names.length] ?? ''
        const key = `${name.toUpperCase()}_${/token/.test(name) ? 'SECRET' : 'API_KEY'}`
        const found = kindsIn(`${key} = "${value}"\n`, 'app/settings.py')
        seen += found.length ? 1 : 0
        // The same value under a name that says nothing, and something else under this name.
        expect([
          value,
          kindsIn(`total = "${value}"\n`, 'app/settings.py').filter((each) => each === kind),
        ]).toEqual([value, []])
        expect(kindsIn(`${key} = os.environ["${key}"]\n`, 'app/settings.py')).toEqual([])
        expect(kindsIn(`${key} = "your-${name}-key"\n`, 'app/settings.py')).toEqual([])
      }
      expect(seen).toBeGreaterThanOrEqual(18)
    })
})

describe('structures', () => {
  const random = seeded(99)
  const base64 = (count: number): string => letters(random, count, `${LETTERS}${CAPITALS}${DIGITS}+/`)
  const web = (count: number): string => letters(random, count, `${LETTERS}${CAPITALS}${DIGITS}-_`)
  const password = (): string => `${letters(random, 5)}!${letters(random, 4, DIGITS)}q`
  const begin = (words: string): string => ['-----', 'BEGIN ', words, '-----'].join('')
  const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const cases: [kind: string, text: string, path?: string][] = [
    ...[
      'PRIVATE KEY',
      'RSA PRIVATE KEY',
      'EC PRIVATE KEY',
      'OPENSSH PRIVATE KEY',
      'ENCRYPTED PRIVATE KEY',
      'DSA PRIVATE KEY',
    ].map((words): [string, string] => ['private-key', `${begin(words)}\n${base64(64)}\n${base64(64)}\n`]),
    ['private-key', `key: "${begin('PRIVATE KEY')}\\n${base64(64)}\\n"`],
    [
      'private-key',
      `${begin('RSA PRIVATE KEY')}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${letters(random, 32, '0123456789ABCDEF')}\n\n${base64(64)}\n`,
    ],
    ['pgp-private-key', `${begin('PGP PRIVATE KEY BLOCK')}\nVersion: GnuPG v2\n\n${base64(64)}\n`],
    ['url-password', `const db = "postgres://app:${password()}@db.internal:5432/app"`],
    ['url-password', `REDIS_URL=redis://:${password()}@cache:6379/0\n`, '.env'],
    [
      'json-web-token',
      `x = ["${json({ alg: 'HS256' })}.${json({ sub: '1', name: 'somebody' })}.${web(43)}"]`,
    ],
    ['basic-authorization', `Authorization: Basic ${Buffer.from(`admin:${password()}`).toString('base64')}`],
    ['bearer-token', `curl -H "Authorization: Bearer ${web(40)}"`],
    [
      'docker-auth',
      `{"auths":{"https://r.io":{"auth":"${Buffer.from(`bob:${password()}`).toString('base64')}"}}}`,
      'config.json',
    ],
    ['npmrc-auth', `//registry.internal/:_authToken=${web(36)}\n`, '.npmrc'],
    ['password', `machine api.internal login bob password ${password()}\n`, '.netrc'],
    ['connection-string', `AccountName=store;AccountKey=${base64(86)}==;EndpointSuffix=core`],
    ['connection-string', `"Server=sql;Database=app;User Id=app;Password=${password()};"`],
    ['aws-secret-key', `aws_secret_access_key = ${base64(40)}\n`, 'credentials'],
    ['telegram-bot-token', `x = ["${letters(random, 9, '123456789')}:AA${web(33)}"]`],
    ['sql-password', `CREATE USER app IDENTIFIED BY '${password()}';`, 'a.sql'],
    ['curl-password', `curl -u bob:${password()} https://api.internal/`],
    ['wireguard-private-key', `PrivateKey = ${base64(43)}=\n`, 'wg0.conf'],
  ]
  for (const [kind, text, path] of cases)
    test(`${kind}: ${text.slice(0, 24).replace(/\s+/g, ' ')}`, () =>
      expect(kindsIn(text, path)).toContain(kind))

  const none: [text: string, path?: string][] = [
    [`if (text.includes('${begin('PRIVATE KEY')}')) throw new Error('no')`],
    [`${begin('PUBLIC KEY')}\n${base64(64)}\n`],
    [`${begin('CERTIFICATE')}\n${base64(64)}\n`],
    ['postgres://user:password@localhost/db'],
    ['postgres://postgres:postgres@db/app'],
    [`https://user:\${PASSWORD}@host/`, 'a.sh'],
    ['https://<user>:<password>@host/'],
    ['git clone https://github.com/someone/something.git@v1.2.3:path'],
    ['"@scope/name": "npm:other@1.2.3"'],
    ['Authorization: Bearer <token>'],
    [`Authorization: Bearer \${token}`],
    [`//registry.npmjs.org/:_authToken=\${NPM_TOKEN}\n`, '.npmrc'],
    [`"integrity": "sha512-${base64(86)}=="`, 'package-lock.json'],
    [`commit ${letters(random, 40, '0123456789abcdef')}`],
    [
      `const id = "${letters(random, 8, '0123456789abcdef')}-1234-4abc-8def-${letters(random, 12, '0123456789abcdef')}"`,
    ],
    ['password: process.env.DB_PASSWORD'],
    ['password = os.environ["DB_PASSWORD"]', 'a.py'],
    ['DB_PASSWORD=changeme', '.env'],
    [`DB_PASSWORD=\${DB_PASSWORD}`, '.env'],
    ['password: "{{ vault_password }}"', 'a.yml'],
    ['<input type="password" name="password" placeholder="Your password">', 'a.html'],
    ['const passwordField = document.querySelector("#password")'],
    ['"passwordTooShort": "The password needs 8 characters"', 'locales/en.json'],
    [`passwordHash: "$2b$10$${letters(random, 53)}"`],
    [`data:image/png;base64,${base64(400)}`],
  ]
  for (const [text, path] of none)
    test(`not: ${text.slice(0, 40).replace(/\s+/g, ' ')}`, () => expect(kindsIn(text, path)).toEqual([]))
})
