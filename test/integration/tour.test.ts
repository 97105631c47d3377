/** The tour of the README and the first steps of docs/getting-started.md, typed as they stand there. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath, repository } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { freePort } from '../harness/web.ts'
import { needed, output } from './support.ts'

/** What a command shows. Those with keys stay open until these are pressed. */
interface Seen {
  readonly shows: RegExp
  readonly keys?: readonly string[]
}

const leaves = ['C-]']
const SEEN: Readonly<Record<string, Seen>> = {
  'cd ~/src/my-app': { shows: /CODE 0/ },
  coop: { shows: /agent ready/, keys: leaves },
  'coop attach': { shows: /agent ready/, keys: leaves },
  'coop ls': { shows: /my-app +~\/src\/my-app +host +claude/ },
  'coop logs -f': { shows: /agent ready/, keys: ['C-c'] },
  'coop screen': { shows: /agent ready/ },
  'coop shell': { shows: /coop@my-app:.*#/, keys: leaves },
  'coop exec git log --oneline': { shows: /^[0-9a-f]{7} .*first$/m },
  'coop cp my-app:build/out.zip .': { shows: /CODE 0/ },
  'coop status': { shows: /workspace +\S*src\/my-app[\s\S]*network +host/ },
  'coop serve': { shows: /http:\S+\/#t=[\w-]{22}[\s\S]*Ctrl\+C/, keys: ['C-c'] },
  'coop stop': { shows: /my-app/ },
  'coop kill': { shows: /my-app is gone/ },
  'coop run make test': { shows: /tests passed/ },
  'git diff | coop run -- claude -p "review this" > review.md': { shows: /CODE 0/ },
  'coop run --network none -- ./untrusted.sh': { shows: /^nothing but lo$/m },
  'coop run --plan true': { shows: /"pids": 4096/ },
  'coop --recreate -e ANTHROPIC_API_KEY': { shows: /agent ready/, keys: leaves },
  'coop kill --all': { shows: /is gone/ },
  'coop system shutdown': { shows: /has stopped/ },
}

const CLAUDE = `#!/bin/sh
[ "$1" = -p ] || [ "$2" = -p ] && { read line; echo "reviewed: $line"; exit; }
echo agent ready
exec cat
`
const UNTRUSTED = '#!/bin/sh\necho "nothing but $(ls /sys/class/net 2>/dev/null || echo lo)"\n'

/** The commands of the console blocks of a part of a page, without what needs a server. */
function commandsOf(file: string, from: string, to: string): string[] {
  const text = readFileSync(join(repository, file), 'utf8')
  const part = text.slice(text.indexOf(from), text.indexOf(to))
  return [...part.matchAll(/```console\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.split('\n'))
    .filter((line) => line.startsWith('$ ') && !line.startsWith('$ curl '))
    .map((line) => line.slice(2).replace(/ +# .*$/, ''))
}

const PAGES = [
  ['README.md', '## A tour', '## What it protects', 15],
  ['docs/getting-started.md', '# Getting started', 'end of the page', 10],
] as const
const can = needed(ordinary, 'tmux', 'git', 'make')

for (const [file, from, to, least] of PAGES) {
  test.skipIf(can.missing)(`every command of ${file} does what it says${can.note}`, async () => {
    const commands = commandsOf(file, from, to)
    expect(commands.length).toBeGreaterThanOrEqual(least)
    expect(commands.filter((command) => !(command in SEEN))).toEqual([]) // say above what a new one shows
    await using t = await scratch(ordinary)
    const project = join(t.home, 'src/my-app')
    t.write(join(project, 'Makefile'), 'test:\n\t@echo tests passed\n')
    t.write(join(project, 'untrusted.sh'), UNTRUSTED, 0o755)
    t.write(join(project, 'build/out.zip'), 'zip')
    t.write(join(t.home, '.local/bin/claude'), CLAUDE, 0o755)
    t.write(join(t.home, 'bin/coop'), `#!/bin/sh\nexec ${coopPath()} "$@"\n`, 0o755)
    const git = 'git init -q && git add . && git commit -qm first && echo "# more" >> Makefile'
    output(await t.run(['sh', '-c', git], { cwd: project }))
    t.settings(`[serve]\nport = ${freePort()}\n`)
    output(await t.coop(['system', 'status'])) // so that the scratch ends the daemon
    const path = `${join(t.home, 'bin')}:${join(t.home, '.local/bin')}:/usr/bin:/bin`
    const env = { PATH: path, PS1: 'host> ', ANTHROPIC_API_KEY: 'key' }
    const shell = ['env', 'PS1=host> ', 'bash', '--norc', '--noprofile', '-i']
    const terminal = await t.terminal(shell, { columns: 120, rows: 50, env })
    let number = 0
    for (const command of commands) {
      const { shows, keys } = SEEN[command] ?? { shows: /$^/ }
      const mark = `CODE 0 OF ${++number}$`
      await terminal.line(`clear; ${command}; echo "CODE $? OF ${number}"`)
      if (keys) {
        await terminal.waitFor(shows)
        await terminal.keys(...keys)
        // Ctrl+C may also end the rest of the line.
        await terminal.waitFor(keys === leaves ? new RegExp(mark, 'm') : /^(?:CODE|host>)/m)
      } else expect(await terminal.waitFor(new RegExp(mark, 'm'))).toMatch(shows)
      if (command.endsWith('review.md'))
        expect(readFileSync(join(project, 'review.md'), 'utf8')).toStartWith('reviewed: diff --git')
      if (command.startsWith('coop cp')) expect(readFileSync(join(project, 'out.zip'), 'utf8')).toBe('zip')
    }
  })
}
