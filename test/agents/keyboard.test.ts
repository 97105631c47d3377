/** Agents that start in the background use the keyboard of the terminal that attaches later. */
import { expect, test } from 'bun:test'
import { coopPath } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import { RawTerminal } from '../harness/raw-terminal.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { CLAUDE, CODEX } from './install.ts'
import { AGENT_LIMIT_MS, stage } from './stage.ts'

const tools = needs('git', 'npm', 'script')
const KEY = 'sk-ant-scripted-0123456789abcdef0123456789'
/** kitty's keyboard, pushed or set, as a rendered screen repeats it. */
const KITTY = /\x1b\[(?:>|=)[1-9]\d*(?:;1)?u/

const AGENTS = [
  ['Claude Code', CLAUDE, 'claude', ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'], /bypass permissions on/],
  ['Codex', CODEX, 'codex', ['OPENAI_BASE_URL', 'OPENAI_API_KEY'], /\u203a/],
] as const

test.skipIf(tools.missing).each(AGENTS)(
  `%s has kitty's keyboard after a start in the background, and Shift+Enter begins a line`,
  async (_, agent, command, [url, key], ready) => {
    await using at = await stage(agent, ordinary)
    const { t, model } = at
    const flags = ['-e', `${url}=${model.url}`, '-e', `${key}=${KEY}`]
    const started = await t.coop(['-d', '-n', 'box', '--agent', command, ...flags])
    expect(started).toMatchObject({ code: 0 })
    const screen = async (): Promise<boolean> => ready.test((await t.coop(['screen', 'box'])).stdout)
    await waitUntil(screen, 'its prompt', AGENT_LIMIT_MS)
    // A client that only watches answers no questions, and the agent may ask some after its first picture.
    await using terminal = new RawTerminal(t, `${coopPath()} attach --readonly box`)
    await waitUntil(
      () => KITTY.test(terminal.shown),
      () => JSON.stringify(terminal.shown.slice(-400)),
      AGENT_LIMIT_MS,
    )
    await using user = new RawTerminal(t, `${coopPath()} attach box`)
    await user.shows('\x1b[?2004h')
    const text = async (): Promise<string> => (await t.coop(['screen', 'box'])).stdout
    const shows = (what: RegExp): Promise<unknown> =>
      waitUntil(async () => what.test(await text()), `${what} on the screen`, AGENT_LIMIT_MS)
    user.type('first')
    await shows(/first/)
    user.type('\x1b[13;2u') // Shift+Enter, which is Enter for an agent without that keyboard
    user.type('second')
    await shows(/second/)
    expect(await text()).toMatch(/[❯›]\s+first\s*\n\s+second/)
    expect(JSON.stringify(model.requests.map(({ body }) => body))).not.toContain('first') // nothing was sent
  },
)
