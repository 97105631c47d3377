/** What the real agents report of themselves, with nobody attached, and what coop shows of it. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, output } from '../integration/support.ts'
import { type AgentPackage, CLAUDE, CODEX } from './install.ts'
import { type Script, say, shell, write } from './script.ts'
import { CODEX_SETTINGS, claudeSettings, configureCodex } from './settings.ts'
import { AGENT_LIMIT_MS, type Stage, stage } from './stage.ts'

const tools = needs('git', 'npm', 'tmux')
const WIDE = { columns: 120, rows: 40 }

interface Case {
  readonly agent: AgentPackage
  readonly script: Script
  readonly command: string
  readonly settings: (at: Stage) => readonly string[]
  /** The question: Claude Code's own words, Codex's screen. */
  readonly question: RegExp
  readonly yes: string
}

const cases: readonly Case[] = [
  {
    agent: CLAUDE,
    script: [shell('sleep 3; echo made > made.txt'), say('All done, captain.')],
    command: "claude --permission-mode manual 'please do it'",
    settings: claudeSettings,
    question: /Bash/,
    yes: 'Enter',
  },
  {
    agent: CODEX,
    script: [write('made.txt', 'made\n'), say('All done, captain.')],
    command: "codex -a on-request -s read-only 'please do it'",
    settings: (at) => {
      configureCodex(at)
      return CODEX_SETTINGS
    },
    question: /Would you like to make the following edits\?.*Yes, proceed/,
    yes: 'y',
  },
]

describe.each(cases)('$agent.command', ({ agent, script, command, settings, question, yes }) => {
  test.skipIf(tools.missing)(
    `says when it works, asks, and has finished, and the user is told${tools.note}`,
    async () => {
      await using at = await stage(agent, ordinary, script)
      const { t } = at
      const said = join(t.root, 'said')
      const notify = `[session]\nnotify = "echo \\"$COOP_STATE|$COOP_TEXT\\" >>${said}"\n`
      t.write(join(t.configDir, 'default.toml'), notify)
      output(await t.coop(['-d', '-n', 'box', '--agent', command, ...settings(at)]))
      const events = t.startCoop(['events', '--json'])

      const asks = await waitUntil(
        async () => {
          const { doing } = await box(t)
          return doing?.state === 'blocked' && doing
        },
        'the question',
        AGENT_LIMIT_MS,
      )
      expect(asks.from).toBe('report')
      expect(asks.text).toMatch(question)
      expect(output(await t.coop(['ls']))).toMatch(/ blocked /)
      expect(output(await t.coop(['status']))).toMatch(/blocked since \d+s, by its own report: /)

      const terminal = await t.coopTerminal(['attach', 'box'], WIDE)
      await terminal.waitFor(/1\. Yes/)
      await terminal.keys(yes)
      await events.waitFor(/"event":"agent","box":"box","state":"done"/, AGENT_LIMIT_MS)
      expect(events.stdout).toMatch(/"state":"blocked"[\s\S]*"state":"done"/)
      expect((await box(t)).state).toBe('done')
      await terminal.waitFor(/All done, captain\./)
      expect(readFileSync(join(t.workspace, 'made.txt'), 'utf8')).toBe('made\n')
      const lines = await waitUntil(() => {
        const all = existsSync(said) ? readFileSync(said, 'utf8').trimEnd().split('\n') : []
        return all.at(-1)?.startsWith('done|') && all
      }, 'both notifications')
      // An agent that starts slowly is silent first.
      expect(lines.find((line) => line.startsWith('blocked|'))).toMatch(question)
      expect(lines.at(-1)).toMatch(/All done, captain\./)
    },
  )
})
