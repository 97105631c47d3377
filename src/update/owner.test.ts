import { expect, test } from 'bun:test'
import { checkOwner, ownerOf, type Run } from './owner.ts'

const nobody: Run = () => undefined
const never: Run = (name) => {
  throw new Error(`${name} was asked`)
}
const says =
  (answers: Readonly<Record<string, string>>): Run =>
  (name, words) =>
    answers[`${name} ${words.join(' ')}`]

test.each([
  ['/usr/lib/node_modules/coop/bin/coop', 'npm install -g coop@latest'],
  ['/home/me/.nvm/versions/node/v24/lib/node_modules/@it/coop/coop', 'npm install -g @it/coop@latest'],
  ['/home/me/p/node_modules/a/node_modules/b/coop', 'npm install -g b@latest'],
  ['/nix/store/abc-coop-0.1.0/bin/coop', 'nix profile upgrade coop'],
  ['/gnu/store/abc-coop-0.1.0/bin/coop', 'guix upgrade coop'],
  ['/home/linuxbrew/.linuxbrew/Cellar/coop/0.1.0/bin/coop', 'brew upgrade coop'],
  ['/snap/coop/12/bin/coop', 'sudo snap refresh coop'],
])('%s tells its manager by its path', (path, command) => {
  expect(ownerOf(path, never)?.command).toBe(command)
})

test.each([
  [
    { 'dpkg-query -S /usr/bin/coop': 'coop:amd64: /usr/bin/coop\n' },
    'sudo apt-get install --only-upgrade coop',
  ],
  // Debian moved /bin to /usr/bin, and old packages still list their files in /bin.
  [{ 'dpkg-query -S /bin/coop': 'coop-cli: /bin/coop\n' }, 'sudo apt-get install --only-upgrade coop-cli'],
  [
    { 'rpm -qf --queryformat %{NAME}\\n /usr/bin/coop': 'coop\n', 'dnf --version': '5' },
    'sudo dnf upgrade coop',
  ],
  [
    { 'rpm -qf --queryformat %{NAME}\\n /usr/bin/coop': 'coop\n', 'zypper --version': '1' },
    'sudo zypper update coop',
  ],
  [
    { 'apk info --who-owns /usr/bin/coop': '/usr/bin/coop is owned by coop-cli-0.1.0-r3\n' },
    'apk upgrade coop-cli',
  ],
  [{ 'pacman -Qoq /usr/bin/coop': 'coop\n' }, 'sudo pacman -Syu coop'],
])('the owner of /usr/bin/coop is asked for: %p', (answers, command) => {
  expect(ownerOf('/usr/bin/coop', says(answers))?.command).toBe(command)
})

test('a program of nobody’s package may be replaced', () => {
  for (const path of ['/usr/bin/coop', '/opt/coop/bin/coop']) expect(ownerOf(path, nobody)).toBeUndefined()
})

test('nobody is asked about the administrator’s own folder, and homes', () => {
  for (const path of ['/usr/local/bin/coop', '/home/me/.local/bin/coop', '/root/.local/bin/coop'])
    expect(ownerOf(path, never)).toBeUndefined()
})

test('the real package manager of this machine knows its files', () => {
  const isKnown = Bun.which('dpkg-query') !== null || Bun.which('rpm') !== null || Bun.which('apk') !== null
  if (!isKnown) return
  expect(ownerOf('/bin/ls')?.command ?? ownerOf('/usr/bin/ls')?.command).toMatch(/coreutils|busybox/)
  expect(() => checkOwner('/usr/bin/ls')).toThrow(/has installed \/usr\/bin\/ls, so coop does not replace it/)
  expect(() => checkOwner('/usr/bin/no-such-program')).not.toThrow()
})
