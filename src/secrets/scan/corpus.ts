/**
 * For tests: a labelled corpus in the shapes that CredData counts (its categories: password, generic secret, private key,
 * predefined pattern, seed/salt/nonce, generic token, authentication, other), in files such as real repositories have. The
 * shapes were written down before the rules were tried on them. Values come from a seed, so that a part can be held out:
 * another seed draws other values, names and places.
 */
import { CAPITALS, DIGITS, LETTERS, letters, seeded } from './sampling.ts'

export interface Labelled {
  readonly path: string
  readonly text: string
  /** The category of the secret in each line that has one. */
  readonly secrets: ReadonlyMap<number, string>
}

type Random = () => number
const HEX = '0123456789abcdef'
const BASE64 = `${LETTERS}${CAPITALS}${DIGITS}+/`
const PEOPLE = [
  'dragon',
  'summer',
  'monkey',
  'welcome',
  'soccer',
  'shadow',
  'orange',
  'winter',
  'guitar',
  'falcon',
  'cookie',
  'silver',
]

const one = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** A password as people choose them. */
function password(random: Random): string {
  const word = one(random, PEOPLE)
  const year = String(1970 + Math.floor(random() * 55))
  return one(random, [
    `${capital(word)}${year}!`,
    `${word}${letters(random, 3, DIGITS)}`,
    `${word.replace('o', '0').replace('e', '3')}@${year}`,
    letters(random, 12, `${LETTERS}${CAPITALS}${DIGITS}!#%^*`),
    letters(random, 16),
    `${capital(word)}-${capital(one(random, PEOPLE))}-${letters(random, 2, DIGITS)}`,
    `Pa$$w0rd${letters(random, 2, DIGITS)}`,
    word, // weak, and still one
  ])
}

const hex = (random: Random, count: number): string => letters(random, count, HEX)
const base64 = (random: Random, bytes: number): string => {
  const count = Math.ceil((bytes * 8) / 6)
  return letters(random, count, BASE64) + '='.repeat((4 - (count % 4)) % 4)
}
const secret = (random: Random): string =>
  one(random, [
    hex(random, 32),
    hex(random, 64),
    letters(random, 24),
    letters(random, 40),
    base64(random, 32),
    `${letters(random, 20)}-${letters(random, 11)}_`,
  ])

type Shape = readonly [path: string, make: (random: Random) => string]

/** Lines with a secret, by category. */
const POSITIVE: Readonly<Record<string, readonly Shape[]>> = {
  password: [
    ['src/db.py', (r) => `    password = "${password(r)}"`],
    ['src/db.py', (r) => `DB_PASSWORD = os.environ.get("DB_PASSWORD", "${password(r)}")`],
    ['src/Main.java', (r) => `    private static final String DB_PASSWORD = "${password(r)}";`],
    ['src/Main.java', (r) => `        dataSource.setPassword("${password(r)}");`],
    ['src/login.test.ts', (r) => `    await page.login({ user: 'alice', password: '${password(r)}' })`],
    ['src/config.js', (r) => `  password: process.env.DB_PASS || '${password(r)}',`],
    ['config/app.yml', (r) => `  password: ${password(r).replace(/[#:@%!*]/g, 'q')}`],
    ['config/app.yml', (r) => `  db_password: "${password(r)}"`],
    ['config/app.properties', (r) => `spring.datasource.password=${password(r)}`],
    ['config/app.ini', (r) => `passwd = ${password(r)}`],
    ['deploy/.env.production', (r) => `MYSQL_ROOT_PASSWORD=${password(r)}`],
    ['deploy/run.sh', (r) => `export PGPASSWORD='${password(r)}'`],
    ['deploy/Dockerfile', (r) => `ENV ADMIN_PASSWORD=${letters(r, 14)}`],
    ['config/web.xml', (r) => `    <password>${password(r).replace(/[<&]/g, 'x')}</password>`],
    ['config/web.xml', (r) => `    <add key="SmtpPassword" value="${password(r).replace(/[<&]/g, 'x')}" />`],
    ['src/settings.php', (r) => `$config['db_password'] = '${password(r)}';`],
    ['src/conn.go', (r) => `	cfg := Config{User: "root", Password: "${password(r)}"}`],
    ['src/conn.rb', (r) => `  :password => "${password(r)}",`],
    ['src/Conn.cs', (r) => `var c = "Server=db;Database=app;User Id=sa;Password=${letters(r, 12)};";`],
    ['src/dsn.ts', (r) => `const url = 'postgres://app:${letters(r, 14)}@db.internal:5432/app'`],
    ['README.md', (r) => `    curl -u admin:${letters(r, 14)} https://api.internal.net/v1`],
  ],
  'generic secret': [
    ['src/oauth.py', (r) => `CLIENT_SECRET = '${secret(r)}'`],
    ['src/oauth.ts', (r) => `  clientSecret: "${secret(r)}",`],
    ['src/jwt.js', (r) => `const jwtSecret = "${secret(r)}";`],
    ['config/app.toml', (r) => `secret_key = "${secret(r)}"`],
    ['config/app.json', (r) => `  "appSecret": "${secret(r)}",`],
    [
      'src/settings.py',
      (r) => `SECRET_KEY = 'django-insecure-${letters(r, 50, `${LETTERS}${DIGITS}!@#%^*(-_=+)`)}'`,
    ],
    ['deploy/.env', (r) => `SESSION_SECRET=${secret(r)}`],
    ['k8s/secret.yaml', (r) => `  client-secret: ${base64(r, 24)}`],
    ['k8s/deploy.yaml', (r) => `        - name: API_SECRET\n          value: "${secret(r)}"`],
  ],
  'generic token': [
    ['src/api.ts', (r) => `const token = '${secret(r)}'`],
    ['src/api.py', (r) => `access_token="${letters(r, 40)}"`],
    ['config/ci.yml', (r) => `  AUTH_TOKEN: ${letters(r, 36)}`],
    ['scripts/deploy.sh', (r) => `deploy --token ${letters(r, 40)} --prod`],
    ['src/Api.kt', (r) => `    val refreshToken = "${secret(r)}"`],
    ['src/auth.test.js', (r) => `    headers: { 'x-auth-token': '${letters(r, 36)}' },`],
  ],
  'api key': [
    ['src/maps.js', (r) => `const API_KEY = "${letters(r, 32)}"`],
    ['src/maps.py', (r) => `api_key = '${hex(r, 32)}'`],
    ['config/app.yml', (r) => `    apiKey: ${hex(r, 40)}`],
    ['deploy/.env', (r) => `STORAGE_ACCESS_KEY=${letters(r, 40)}`],
    ['src/crypt.go', (r) => `var encryptionKey = []byte("${letters(r, 32)}")`],
    ['src/App.swift', (r) => `    let apiKey: String = "${letters(r, 39)}"`],
    ['config/app.tf', (r) => `  secret_key = "${letters(r, 40, BASE64)}"`],
  ],
  'predefined pattern': [
    [
      'src/aws.py',
      (r) => `AWS_ACCESS_KEY_ID = "${['AK', 'IA'].join('')}${letters(r, 16, `${CAPITALS}234567`)}"`,
    ],
    ['src/aws.py', (r) => `aws_secret_access_key='${letters(r, 40, BASE64)}'`],
    [
      'src/slack.js',
      (r) =>
        `const t = "${['xo', 'xb'].join('')}-${letters(r, 12, DIGITS)}-${letters(r, 12, DIGITS)}-${letters(r, 24)}"`,
    ],
    ['src/pay.rb', (r) => `Stripe.api_key = '${['sk', 'live'].join('_')}_${letters(r, 24)}'`],
    [
      'src/maps.html',
      (r) =>
        `<script src="https://maps.googleapis.com/maps/api/js?key=${['AI', 'za'].join('')}${letters(r, 35)}"></script>`,
    ],
    ['src/mail.py', (r) => `sg = Client("${['S', 'G'].join('')}.${letters(r, 22)}.${letters(r, 43)}")`],
    ['ci/build.yml', (r) => `      GL: ${['gl', 'pat'].join('')}-${letters(r, 20)}`],
    ['src/bot.js', (r) => `bot('${letters(r, 9, '123456789')}:${'A'.repeat(2)}${letters(r, 33)}')`],
  ],
  'private key': [
    [
      'certs/server.key',
      (r) =>
        `${['-----', 'BEGIN RSA PRIVATE KEY-----'].join('')}\n${letters(r, 64, BASE64)}\n${letters(r, 64, BASE64)}`,
    ],
    [
      'src/sign.ts',
      (r) => `const pem = \`${['-----', 'BEGIN PRIVATE KEY-----'].join('')}\n${letters(r, 64, BASE64)}\``,
    ],
    [
      'config/sa.json',
      (r) =>
        `  "private_key": "${['-----', 'BEGIN PRIVATE KEY-----'].join('')}\\n${letters(r, 64, BASE64)}\\n",`,
    ],
  ],
  authentication: [
    ['src/http.test.ts', (r) => `  .set('Authorization', 'Bearer ${letters(r, 40)}')`],
    [
      'src/http.py',
      (r) =>
        `headers = {"Authorization": "Basic ${Buffer.from(`svc:${letters(r, 14)}`).toString('base64')}"}`,
    ],
    ['docs/api.md', (r) => `curl -H "Authorization: token ${hex(r, 40)}" https://git.internal/api`],
    ['config/.npmrc', (r) => `//npm.internal/:_authToken=${letters(r, 36)}`],
    [
      'home/.docker/config.json',
      (r) => `    "auth": "${Buffer.from(`bob:${letters(r, 14)}`).toString('base64')}"`,
    ],
  ],
  'seed, salt, nonce': [
    ['src/hash.py', (r) => `SALT = "${hex(r, 32)}"`],
    ['src/hash.js', (r) => `const salt = '${letters(r, 22, BASE64)}'`],
    ['src/rng.java', (r) => `    String seed = "${base64(r, 32)}";`],
  ],
}

/** Lines without one. */
const NEGATIVE: readonly Shape[] = [
  [
    'src/form.tsx',
    (r) =>
      `  <input type="password" name="${one(r, ['password', 'newPassword'])}" autoComplete="current-password" />`,
  ],
  ['src/form.tsx', () => `  const [password, setPassword] = useState('')`],
  [
    'src/form.ts',
    (r) => `  if (password !== ${one(r, ['confirmPassword', 'other'])}) throw new Error('Passwords differ')`,
  ],
  ['src/config.ts', (r) => `  password: process.env.${one(r, ['DB_PASSWORD', 'PASS', 'SMTP_PASSWORD'])},`],
  ['src/config.py', () => `password = os.environ["DB_PASSWORD"]`],
  ['src/config.py', () => `token = get_token(user, scope="read")`],
  ['src/config.go', () => `	token := os.Getenv("API_TOKEN")`],
  ['src/Config.java', () => `    private String password;`],
  ['src/Config.java', () => `    @Value("\${db.password}") private String dbPassword;`],
  ['src/Config.cs', () => `    public string Password { get; set; }`],
  [
    'config/app.yml',
    (r) =>
      `  password: ${one(r, ['$'.concat('{DB_PASSWORD}'), '"{{ db_password }}"', '!vault |', '<password>', 'changeme', '""', 'null'])}`,
  ],
  ['config/app.yml', () => `  secretName: my-app-tls`],
  ['config/app.yml', () => `    secretKeyRef:`],
  ['config/app.properties', () => `app.password.min-length=12`],
  ['config/app.properties', () => `security.token.header=X-Auth-Token`],
  [
    'deploy/.env.example',
    (r) => `API_KEY=${one(r, ['your-api-key-here', 'xxxxxxxxxxxxxxxx', 'changeme', '<your key>', '...'])}`,
  ],
  ['deploy/run.sh', () => `  --token "$GITHUB_TOKEN" --password-stdin`],
  ['deploy/run.sh', () => `export TOKEN=$(vault kv get -field=token secret/app)`],
  ['locales/en.json', (r) => `  "password": "${one(r, ['Password', 'Your password', 'Enter password'])}",`],
  ['locales/de.json', () => `  "password.reset": "Passwort zurücksetzen",`],
  ['package-lock.json', (r) => `      "integrity": "sha512-${base64(r, 64)}",`],
  ['yarn.lock', (r) => `  resolved "https://registry.yarnpkg.com/x/-/x-1.0.0.tgz#${hex(r, 40)}"`],
  ['go.sum', (r) => `golang.org/x/sys v0.1.0 h1:${base64(r, 32)}`],
  ['Cargo.lock', (r) => `checksum = "${hex(r, 64)}"`],
  ['src/data.ts', (r) => `  commit: '${hex(r, 40)}',`],
  ['src/data.ts', (r) => `  id: '${hex(r, 8)}-${hex(r, 4)}-4${hex(r, 3)}-8${hex(r, 3)}-${hex(r, 12)}',`],
  ['src/data.ts', (r) => `  sha256: '${hex(r, 64)}',`],
  ['src/data.ts', (r) => `  etag: '"${hex(r, 32)}"',`],
  ['src/logo.ts', (r) => `export const logo = 'data:image/png;base64,${base64(r, 300)}'`],
  [
    'dist/app.min.js',
    (r) =>
      `!function(e,t){var n={key:"${one(r, ['Enter', 'ArrowUp'])}",token:t.token,password:e.pass,k:"${letters(r, 12)}"};${'a(b.c,d);'.repeat(150)}}();`,
  ],
  ['dist/app.js.map', (r) => `{"version":3,"mappings":"${letters(r, 900, `${LETTERS}${CAPITALS},;`)}"}`],
  ['src/parser.ts', () => `  const token = this.next(TokenKind.Identifier)`],
  [
    'src/parser.ts',
    (r) => `    case '${one(r, ['token', 'keyword'])}': return { type: 'Token', key: 'token', value }`,
  ],
  [
    'src/keys.ts',
    (r) =>
      `export const STORAGE_KEY = '${one(r, ['app.settings.theme', 'user-preferences', 'lastVisited'])}'`,
  ],
  ['src/keys.ts', () => `export const TOKEN_KEY = 'access_token'`],
  ['src/keys.ts', () => `const cacheKey = \`user:\${id}:profile\``],
  ['src/auth.ts', () => `  headers: { Authorization: \`Bearer \${token}\` },`],
  ['src/auth.ts', () => `export const TOKEN_URL = 'https://auth.internal/oauth/token'`],
  ['src/auth.ts', () => `  secret: config.get('jwt.secret'),`],
  [
    'src/users.sql',
    (r) => `INSERT INTO users (name, password_hash) VALUES ('a', '$2b$12$${letters(r, 53)}');`,
  ],
  ['docs/api.md', () => `    curl -H "Authorization: Bearer $TOKEN" https://api.example.com`],
  ['docs/api.md', () => `    curl -u user:password https://api.example.com`],
  ['docs/api.md', () => `Set \`API_KEY\` to the key of your account, such as \`sk_test_...\`.`],
  ['docs/aws.md', () => `    AWS_ACCESS_KEY_ID=${['AKIA', 'IOSFODNN7', 'EXAMPLE'].join('')}`],
  ['docs/db.md', () => `    DATABASE_URL=postgres://user:password@localhost:5432/app`],
  ['src/check.py', () => `assert not re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----", text)`],
  ['certs/server.crt', (r) => `-----BEGIN CERTIFICATE-----\n${letters(r, 64, BASE64)}`],
  ['certs/id.pub', (r) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letters(r, 43, BASE64)} me@host`],
  ['src/errors.ts', () => `  INVALID_TOKEN: 'The token is not valid any more',`],
  ['src/errors.ts', () => `  password: 'must have 8 characters',`],
  ['src/schema.ts', () => `  password: { type: 'string', minLength: 8, description: 'The password' },`],
  ['src/schema.graphql', () => `  login(email: String!, password: String!): AuthPayload`],
  ['src/types.d.ts', () => `  readonly apiKey: string | undefined`],
  ['src/style.css', () => `.password-field { color: #1a2b3c; }`],
  ['test/mock.ts', (r) => `    password: '${one(r, ['password', 'secret', '********', 'test'])}',`],
  ['test/mock.ts', () => `    token: 'test-token', secret: 'fake-secret',`],
]

const EACH = 6 // times that each shape is drawn

/** A corpus; another seed gives other values, names and filling. */
export function makeCorpus(seed: number): Labelled[] {
  const random = seeded(seed)
  const files: Labelled[] = []
  const filling = (): string[] =>
    Array.from({ length: Math.floor(random() * 5) }, () =>
      one(random, [
        '',
        '// the next one',
        '  return value',
        '# section',
        '}',
        '  "name": "value",',
        'items: 3',
      ]),
    )
  const add = (path: string, text: string, category?: string): void => {
    const before = filling()
    const folder = one(random, ['app', 'service', 'lib', 'packages/core'])
    // A secret that takes two lines is where its value or its first line is.
    const offset = /\n\s+value:/.test(text) ? 1 : 0
    const line = before.length + 1 + offset
    files.push({
      path: `${folder}/${path}`,
      text: `${[...before, text, ...filling()].join('\n')}\n`,
      secrets: new Map(category === undefined ? [] : [[line, category]]),
    })
  }
  for (let n = 0; n < EACH; n++) {
    for (const [category, shapes] of Object.entries(POSITIVE))
      for (const [path, make] of shapes) add(path, make(random), category)
    for (const [path, make] of NEGATIVE) add(path, make(random))
  }
  return files
}
