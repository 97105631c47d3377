/** The real agents work with a key that is not in their box. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import { CLAUDE, CODEX } from './install.ts'
import { AGENT_LIMIT_MS, DAYS_WORK, type Stage, stage } from './stage.ts'

const tools = needs('git', 'npm', 'tmux')
const KEY = 'sk-real-0123456789abcdef0123456789abcdef'
const WIDE = { columns: 120, rows: 40 }

const AGENTS = [
  {
    agent: CLAUDE,
    name: 'claude',
    terms: (at: Stage) => `anthropic = { key = "env:REAL_KEY", url = "${at.model.url}" }`,
    headless: ['claude', '-p', '--dangerously-skip-permissions', 'please do it'],
    ready: /bypass permissions on/,
    typed: /❯\s+please do it/,
  },
  {
    agent: CODEX,
    name: 'codex',
    terms: (at: Stage) => `openai = { key = "env:REAL_KEY", url = "${at.model.url}/v1" }`,
    headless: ['codex', 'exec', '--dangerously-bypass-approvals-and-sandbox', 'please do it'],
    ready: /Ask Codex to do anything/,
    typed: /› please do it/,
  },
] as const

test.skipIf(tools.missing).each(AGENTS)('$name works through the broker', async ({ agent, name, ...has }) => {
  await using at = await stage(agent, ordinary)
  const { t, model } = at
  t.settings(`[broker]\n${has.terms(at)}\n`)
  // A choice of the user's, which must be there again without the broker. This model has plain tools.
  if (name === 'codex')
    t.write(join(t.home, '.codex/config.toml'), 'model = "scripted"\nmodel_provider = "openai"\n')
  const env = { REAL_KEY: KEY }
  const ran = await t.coop(['run', '--', ...has.headless], { env, timeoutMs: AGENT_LIMIT_MS })
  expect(ran).toMatchObject({ code: 0, stdout: 'All done, captain.\n' })
  expect(await at.work()).toEqual(DAYS_WORK)
  expect([...model.keys]).toEqual([KEY])
  expect(JSON.stringify(model.requests)).not.toContain('placeholder-of-coop')

  // On its screen no dialog about the key is in the way.
  const terminal = await t.coopTerminal(['-n', 'box', '--agent', name], { ...WIDE, env })
  await terminal.waitFor(has.ready, AGENT_LIMIT_MS)
  await terminal.text('please do it')
  await terminal.waitFor(has.typed)
  await terminal.keys('Enter')
  await terminal.waitFor(/All done, captain\.|Still here, captain\./, AGENT_LIMIT_MS)
  expect([...model.keys]).toEqual([KEY])
  const [{ uses }] = JSON.parse(output(await t.coop(['budget', '--json'])))
  expect(uses[0].requests).toBeGreaterThan(0)
  expect(uses[0].output).toBeGreaterThan(0)
  const inside = output(
    await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', `grep -rlsF '${KEY}' ~ /tmp /etc /run; env`]),
  )
  expect(inside).not.toContain(KEY)
  expect(inside).not.toMatch(/^\//m)
})
