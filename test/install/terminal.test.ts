/** What install.sh asks a person, and the lines that it writes into startup files. */
import { describe, expect, test } from 'bun:test'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Terminal } from '../harness/terminal.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import { installer, littleCoop, makeRelease, ReleaseServer } from './releases.ts'
import { coopIn, filesOf, INSTALLED, install } from './support.ts'

const RELEASE = makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0') })
const SH_LINE =
  'case ":$PATH:" in *":$HOME/.local/bin:"*) ;; *) export PATH="$HOME/.local/bin:$PATH" ;; esac # added by coop\'s install.sh'
const FISH_LINE =
  'contains -- "$HOME/.local/bin" $PATH; or set -gx PATH "$HOME/.local/bin" $PATH # added by coop\'s install.sh'

interface Shell {
  readonly startup: string
  readonly lines: (t: Scratch) => string
  readonly command: readonly string[]
}

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: { startup: '.bashrc', lines: () => `${SH_LINE}\n`, command: ['bash', '-i'] },
  zsh: {
    startup: '.zshrc',
    lines: (t) =>
      `${SH_LINE}\n(( $+functions[compdef] )) && source "${join(t.root, INSTALLED.zsh)}" 2>/dev/null # added by coop's install.sh\n`,
    command: ['zsh', '-i'],
  },
  fish: { startup: '.config/fish/config.fish', lines: () => `${FISH_LINE}\n`, command: ['fish', '-i'] },
}

/** The script in a terminal, from a pipe; the screen ends with its exit code. */
async function inTerminal(t: Scratch, server: ReleaseServer, shell: string, args = ''): Promise<Terminal> {
  const script = t.write(join(t.root, 'install.sh'), installer({ releases: server.base }))
  const command = `cat ${script} | sh -s -- ${args}; echo "CODE $?"; exec cat`
  // Names of variables of the user's folders must not get into the home's startup files.
  return await t.terminal(['sh', '-c', command], {
    columns: 160,
    rows: 50,
    env: { SHELL: `/usr/bin/${shell}` },
  })
}

describe.each(Object.entries(SHELLS))('%s', (shell, { startup, lines, command }) => {
  const can = needs(shell, 'tmux', 'curl')

  test.skipIf(can.missing)(
    `finds coop after a yes, once, and no more after --uninstall${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      using server = new ReleaseServer(RELEASE)
      const file = join(t.home, startup)
      const mine = '# mine, without a newline at its end'
      t.write(file, mine)
      const first = await inTerminal(t, server, shell)
      await first.waitFor(/^Add it\? \[Y\/n\]/m)
      expect(readFileSync(file, 'utf8')).toBe(mine)
      await first.keys('Enter')
      await first.waitFor(/^CODE 0$/m)
      expect(readFileSync(file, 'utf8')).toBe(`${mine}\n${lines(t)}`)

      const person = await t.terminal(command, { columns: 160 })
      await person.line('coop --version')
      await person.waitFor(/^coop 0\.2\.0 /m)

      // The second time there is nothing to ask.
      const second = await inTerminal(t, server, shell)
      const screen = await second.waitFor(/^CODE 0$/m)
      expect(screen).toContain('is installed already')
      expect(screen).not.toContain('[Y/n]')
      expect(readFileSync(file, 'utf8')).toBe(`${mine}\n${lines(t)}`)

      const third = await inTerminal(t, server, shell, '--uninstall')
      await third.waitFor(/^CODE 0$/m)
      expect(readFileSync(file, 'utf8')).toBe(`${mine}\n`)
      expect(filesOf(t).filter((path) => Object.values(INSTALLED).some((its) => its === path))).toEqual([
        INSTALLED.seen,
      ])
    },
  )
})

const can = needs('tmux', 'curl', 'bash')

test.skipIf(can.missing)(`nothing is added after a no, or where nobody can be asked${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const terminal = await inTerminal(t, server, 'bash')
  await terminal.waitFor(/^Add it\? \[Y\/n\]/m)
  await terminal.line('n')
  const screen = await terminal.waitFor(/^CODE 0$/m)
  expect(screen).toContain(`  ${coopIn(t)} run -- id`) // which works without a PATH
  const silent = await install(t, server)
  expect(output(silent)).toContain(
    `${SH_LINE}\n\nNobody can be asked here, so nothing was added; with sh -s -- --yes it is.\n`,
  )
  // Neither an environment without SHELL nor an unknown shell is a problem.
  for (const SHELL of [undefined, '/usr/bin/ksh'])
    expect(output(await install(t, server, { env: { SHELL } }))).toContain(SH_LINE)
  // On the PATH already: nothing to say.
  const there = output(
    await install(t, server, { env: { PATH: `${join(t.home, '.local/bin')}:${t.env.PATH}` } }),
  )
  expect(there).not.toContain('PATH')
  expect(there).toContain('\n  coop run -- id')
  expect(existsSync(join(t.home, '.bashrc'))).toBe(false)
})

test.skipIf(can.missing)(`bash: login shells find it, too; links and modes stay${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  // As in a folder with one's settings under version control.
  const real = t.write(join(t.home, 'settings/bashrc'), '# mine\n', 0o640)
  output(await t.run(['ln', '-s', 'settings/bashrc', join(t.home, '.bashrc')]))
  const profile = t.write(join(t.home, '.bash_profile'), 'echo hello\n')
  output(await install(t, server, { args: ['--yes'] }))
  output(await install(t, server, { args: ['--yes'] }))
  expect(readFileSync(real, 'utf8')).toBe(`# mine\n${SH_LINE}\n`)
  expect(readFileSync(profile, 'utf8')).toBe(`echo hello\n${SH_LINE}\n`)
  expect(output(await t.run(['bash', '-lc', 'command -v coop']))).toBe(`hello\n${coopIn(t)}\n`)
  output(await install(t, server, { args: ['--uninstall'] }))
  expect(lstatSync(join(t.home, '.bashrc')).isSymbolicLink()).toBe(true)
  expect(readFileSync(real, 'utf8')).toBe('# mine\n')
  expect(lstatSync(real).mode & 0o777).toBe(0o640)
  expect(readFileSync(profile, 'utf8')).toBe('echo hello\n')
  // A file that cannot be written is no failure.
  t.write(real, '# mine\n', 0o444)
  const result = await install(t, server, { args: ['--yes'] })
  expect(output(result)).toContain('Next')
  expect(result.stderr).toMatch(/^note: \S+\.bashrc cannot be written; the line is: case/)
})

test.skipIf(can.missing)(
  `bash: login shells find it in a home without any startup file${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    const bash = async (flag: string) => output(await t.run(['bash', flag, 'command -v coop'])).trimEnd()
    const added = output(await install(t, server, { args: ['--yes'] }))
    expect(added).toContain(`belongs into ${join(t.home, '.bashrc')} and ${join(t.home, '.profile')}:`)
    expect([await bash('-lc'), await bash('-ic')]).toEqual([coopIn(t), coopIn(t)])
    output(await install(t, server, { args: ['--uninstall'] }))
    expect(readFileSync(join(t.home, '.profile'), 'utf8')).toBe('')
    // One that reads .bashrc is enough.
    const profile = t.write(join(t.home, '.profile'), '. ~/.bashrc\n')
    output(await install(t, server, { args: ['--yes'] }))
    expect(readFileSync(profile, 'utf8')).toBe('. ~/.bashrc\n')
    expect(await bash('-lc')).toBe(coopIn(t))
  },
)
