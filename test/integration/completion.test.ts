/** Completion in bash, zsh and fish, as a person sees it: the keys go to real shells. */
import { test } from 'bun:test'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { needed, startBox } from './support.ts'

interface Shell {
  readonly command: readonly string[]
  /** The lines that make it complete coop. */
  readonly setUp: readonly string[]
}

const coop = coopPath()
const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    command: ['bash', '--norc', '--noprofile', '-i'],
    setUp: ["PS1='> '", `coop() { ${coop} "$@"; }`, 'eval "$(coop completion bash)"'],
  },
  zsh: {
    command: ['zsh', '-f', '-i'],
    setUp: [
      "PS1='> '",
      `coop() { ${coop} "$@"; }`,
      'autoload -Uz compinit; compinit -u -d $PWD/.zdump',
      'eval "$(coop completion zsh)"',
    ],
  },
  fish: {
    command: ['fish', '--no-config', '--interactive'],
    setUp: [
      "function fish_prompt; printf '> '; end",
      'set -g fish_autosuggestion_enabled 0',
      `function coop; ${coop} $argv; end`,
      'coop completion fish | source',
    ],
  },
}

/** The typed text, and the line after Tab. */
const LINES: readonly (readonly [typed: string, completed: string])[] = [
  ['coop snapsh', 'coop snapshot'],
  ['coop exec -n mi', 'coop exec -n mine'],
  ['coop exec --name=mi', 'coop exec --name=mine'],
  ['coop run --network=n', 'coop run --network=none'],
  ['coop --workspace=sub', 'coop --workspace=subfolder/'],
  ['coop -w sub', 'coop -w subfolder/'],
  ['coop run -m sub', 'coop run -m subfolder/'],
  ['coop --mount=sub', 'coop --mount=subfolder/'],
  ['coop cp mi', 'coop cp mine:'],
  ['coop cp mine:/tmp/it note', 'coop cp mine:/tmp/it notes.md'],
  ['coop cp notes.md mi', 'coop cp notes.md mine:'],
  ['coop exec -n mine -- cat note', 'coop exec -n mine -- cat notes.md'],
  ['coop run note', 'coop run notes.md'],
]

for (const [name, { command, setUp }] of Object.entries(SHELLS)) {
  const can = needed(ordinary, name, 'tmux')
  test.skipIf(can.missing)(`${name} completes names, values, places and files${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    await startBox(t, { name: 'mine' })
    t.write('notes.md', '')
    t.folder('home/project/subfolder')
    const terminal = await t.terminal(command, { columns: 120 })
    for (const line of setUp) await terminal.line(line)
    await terminal.line("echo 're''ady'")
    await terminal.waitFor(/^ready$/m)
    for (const [at, [typed, completed]] of LINES.entries()) {
      await terminal.keys('C-u')
      await terminal.line(`clear; echo 'ne''xt' ${at}`)
      await terminal.waitFor(new RegExp(`^next ${at}$`, 'm'))
      await terminal.text(typed)
      await terminal.keys('Tab')
      const last = (screen: string): string => screen.trimEnd().split('\n').at(-1)?.trimEnd() ?? ''
      await terminal.waitForScreen((screen) => last(screen) === `> ${completed}`, completed)
      // A path follows at once: no space is put behind these.
      if (!/[:/]$/.test(completed)) continue
      await terminal.text('x')
      await terminal.waitForScreen((screen) => last(screen) === `> ${completed}x`, `${completed}x`)
    }
  })
}
