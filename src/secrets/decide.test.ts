import { expect, test } from 'bun:test'
import { BUILT_IN } from './built-in.ts'
import { parseCoopIgnore } from './coopignore.ts'
import { decide, type EntryKind, Folder, ruleText, secretSettings } from './decide.ts'
import { fold } from './fold.ts'
import { compilePattern, matches, namesOf, type Pattern } from './gitignore.ts'
import { BadGlob } from './glob.ts'

const NONE = secretSettings({ hide: [], show: [] })

function by(
  path: string,
  {
    kind = 'file',
    ignores = {},
    hide = [],
    show = [],
  }: {
    kind?: EntryKind
    ignores?: Record<string, string>
    hide?: readonly string[]
    show?: readonly string[]
  } = {},
): string {
  const read = (folder: string): ReturnType<typeof parseCoopIgnore> | undefined =>
    ignores[folder] === undefined ? undefined : parseCoopIgnore(ignores[folder])
  const rule = decide(path, kind, secretSettings({ hide, show }), read)
  return rule ? ruleText(rule) : 'shown'
}

test('files with the names of secrets are hidden in every folder', () => {
  const hidden =
    '.env .env.local .env.production .envrc a.pem a.key b.p8 c.p12 d.pfx e.jks f.keystore g.kdbx h.ppk i.ovpn ' +
    'x.tfvars x.tfvars.json terraform.tfstate x.tfstate.backup id_rsa id_rsa.old id_dsa id_ecdsa id_ed25519 ' +
    'id_ed25519.pub .netrc _netrc .npmrc .pypirc .git-credentials .htpasswd .dockercfg .pgpass .my.cnf .s3cfg .boto ' +
    '.vault-token credentials.json credentials-prod.json credentials.yml credentials.yaml service-account.json ' +
    'service_account.json my-sa.json client_secret_1.json kubeconfig kubeconfig.yml secrets.yml secrets.ts a.secret ' +
    'b.secrets database.yml .key'
  for (const name of hidden.split(' '))
    for (const path of [name, `deep/down/${name}`, name.toUpperCase()])
      expect(by(path)).toStartWith('built-in ')
})

test('other files are shown', () => {
  const shown =
    'env .environment a.env README.md package.json key a.keys pem secret secrets .secret.txt id_rs credentials ' +
    'xcredentials.json service--account.json kube.config database.yaml tfstate my.cnf sa.json monkey.ts'
  for (const path of shown.split(' ')) expect(`${path} ${by(path)}`).toBe(`${path} shown`)
})

test('examples are shown, but no keys', () => {
  for (const name of [
    '.env.example',
    '.env.sample',
    'secrets.yml.template',
    '.env.dist',
    '.ENV.Example',
    'secrets.sample',
  ])
    expect(`${name} ${by(name)}`).toBe(`${name} shown`)
  for (const name of ['id_rsa.example', 'x.example.key', 'sample.pem', '.env.example.local'])
    expect(by(name)).toStartWith('built-in ')
})

test('bundles of public certificates are shown', () => {
  for (const path of [
    'node_modules/x/cacert.pem',
    'venv/lib/certifi/cacert.pem',
    'rds-ca-bundle.pem',
    'roots.pem',
  ])
    expect(by(path)).toBe('shown')
  expect(by('ca.pem')).toBe('built-in *.pem')
  expect(by('cacert.key')).toBe('built-in *.key')
})

test('names that look the same are the same', () => {
  const kelvin = '\u212a' // the sign of a unit, which lower case makes a k
  for (const name of ['.ENV', '.Env', `server.${kelvin}ey`, 'ſecrets.yml', '\uff0eenv', 'Database.YML'])
    expect(by(name)).toStartWith('built-in ')
  const [composed, decomposed] = ['g\u00e9heim.txt', 'ge\u0301heim.txt']
  for (const ignore of [composed, decomposed])
    for (const name of [composed, decomposed, composed.toUpperCase()])
      expect(by(name, { ignores: { '': ignore } })).toBe(`.coopignore:1 ${ignore}`)
})

test('folders of secrets hide what is in them; a link is judged as both', () => {
  for (const folder of [
    'secrets',
    '.secrets',
    'credentials',
    '.aws',
    '.kube',
    '.ssh',
    '.gnupg',
    '.docker',
    'Secrets',
  ]) {
    expect(by(folder, { kind: 'folder' })).toStartWith('built-in ')
    expect(by(`a/${folder}/b/README.md`)).toStartWith('built-in ')
    expect(by(folder, { kind: 'link' })).toStartWith('built-in ')
    expect(by(folder)).toBe(folder === '.secrets' ? 'built-in *.secrets' : 'shown')
  }
  // Python keeps its environments in such folders.
  expect(by('.env', { kind: 'folder' })).toBe('shown')
  expect(by('.env', { kind: 'link' })).toBe('built-in .env')
})

test('the quick look at built-in names says the same as their patterns', () => {
  const [keys, files, examples, bundles] = [
    BUILT_IN.keyFiles,
    BUILT_IN.files,
    BUILT_IN.examples,
    BUILT_IN.publicCertificates,
  ].map((texts) => texts.flatMap((text) => compilePattern(text, () => true) ?? [])) as Pattern[][]
  const has = (list: readonly Pattern[] | undefined, name: string): boolean =>
    list?.some((pattern) => matches(pattern, namesOf([name]), false)) === true
  const parts = [
    ...'.-_xaks1',
    'env',
    'key',
    'pem',
    'secrets',
    'secret',
    'id_rsa',
    'tfvars',
    'tfstate',
    'json',
    'yml',
  ]
  parts.push(
    'credentials',
    'sa',
    'service',
    'account',
    'kubeconfig',
    'example',
    'dist',
    'ca-bundle',
    'client_secret',
  )
  let seed = 7
  const roll = (most: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * most)
  }
  let hidden = 0
  for (let i = 0; i < 20_000; i++) {
    const name = Array.from({ length: 1 + roll(5) }, () => parts[roll(parts.length)]).join('')
    const slow = has(keys, name) ? !has(bundles, name) : has(files, name) && !has(examples, name)
    if (slow) hidden++
    if ((by(name) !== 'shown') !== slow) throw new Error(`${name}: ${by(name)}`)
  }
  expect(hidden).toBeGreaterThan(500)
})

test('.coopignore adds patterns below its folder', () => {
  const ignores = { '': '# mine\n\n*.dat\n!ok.dat\n/only-here\nlogs/\n', 'a/b': 'x.txt\n/y/z\n' }
  expect(by('d/e.dat', { ignores })).toBe('.coopignore:3 *.dat')
  expect(by('ok.dat', { ignores })).toBe('shown')
  expect(by('only-here', { ignores })).toBe('.coopignore:5 /only-here')
  expect(by('a/only-here', { ignores })).toBe('shown')
  expect(by('q/logs/1', { ignores })).toBe('.coopignore:6 logs/')
  expect(by('logs', { ignores })).toBe('shown')
  expect(by('a/b/c/x.txt', { ignores })).toBe('a/b/.coopignore:1 x.txt')
  expect(by('x.txt', { ignores })).toBe('shown')
  expect(by('a/b/y/z', { ignores })).toBe('a/b/.coopignore:2 /y/z')
})

test('a .coopignore reveals nothing that another rule hides', () => {
  const ignores = { '': 'plan.txt\n!.env\n!*\n', sub: '!plan.txt\n!*.key\n' }
  expect(by('.env', { ignores })).toBe('built-in .env')
  expect(by('sub/a.key', { ignores })).toBe('built-in *.key')
  expect(by('sub/plan.txt', { ignores: { ...ignores, '': 'plan.txt' } })).toBe('.coopignore:1 plan.txt')
  expect(by('extra', { ignores: { '': '!extra' }, hide: ['extra'] })).toBe('[secrets] hide extra')
})

test('hiding ignores case, showing does not', () => {
  const ignores = { '': '*.dat\n!Ok.dat\n' }
  expect(by('A.DAT', { ignores })).toBe('.coopignore:1 *.dat')
  expect(by('ok.dat', { ignores })).toBe('.coopignore:1 *.dat')
  expect(by('Ok.dat', { ignores })).toBe('shown')
  expect(by('.ENV', { show: ['.env'] })).toBe('built-in .env')
})

test('the configuration hides and shows', () => {
  expect(by('a/notes.txt', { hide: ['notes.txt'] })).toBe('[secrets] hide notes.txt')
  expect(by('test/fixtures/a.pem', { show: ['test/fixtures/*.pem'] })).toBe('shown')
  expect(by('a.pem', { show: ['test/fixtures/*.pem'] })).toBe('built-in *.pem')
  expect(by('secrets/readme', { show: ['secrets/'] })).toBe('shown')
  expect(by('secrets/.env', { show: ['secrets/'] })).toBe('built-in .env')
  expect(() => secretSettings({ hide: ['!x'], show: [] })).toThrow(BadGlob)
  expect(() => secretSettings({ hide: [], show: ['a[b'] })).toThrow(BadGlob)
})

test('mistakes in a .coopignore are told with their lines', () => {
  const { lines, mistakes } = parseCoopIgnore(
    'good\nconfig.php # passwords\na[b\r\n# a comment # here\nx\\ #y\r\nb#c\nd\\',
  )
  expect(lines.map(({ text }) => text)).toEqual(['good', 'x\\ #y', 'b#c'])
  expect(mistakes).toEqual([
    { line: 2, problem: 'is followed by a comment, which would be part of it' },
    { line: 3, problem: 'has "[" without "]"' },
    { line: 7, problem: 'ends with a backslash' },
  ])
})

test('patterns that match nothing are known', () => {
  const used = new Set<Pattern>()
  const ignore = parseCoopIgnore('a.txt\n!b.txt\nc.txt\n')
  const top = Folder.top(NONE, ignore, used)
  for (const name of ['a.txt', 'b.txt']) top.judge(name, 'file')
  expect(ignore.lines.filter((line) => !used.has(line)).map(({ line }) => line)).toEqual([2, 3])
})

test('folding keeps what differs apart', () => {
  expect(fold('README.md')).toBe('readme.md')
  expect(fold('é')).not.toBe(fold('e'))
  expect(fold('a\udcffb')).toContain('\udcff') // a byte that is no UTF-8
})
