/** The README's picture of the first minutes shows what coop prints today. */
import { expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { coopPath } from '../harness/coop.ts'
import { hasCommand } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { needed } from './support.ts'

const AGENTS = ['claude', 'codex', 'gemini', 'opencode', 'aider']
const can = needed(ordinary, 'tmux', 'node')
const SCRIPT = fileURLToPath(new URL('../../scripts/picture.mjs', import.meta.url))

// The picture is that of a machine without an agent.
test.skipIf(can.missing || AGENTS.some(hasCommand))(
  `the picture of the first minutes is true${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    const env = { COOP: coopPath() }
    expect(await t.run(['node', SCRIPT, '--check'], { env, timeoutMs: 60_000 })).toMatchObject({
      code: 0,
      stderr: '',
    })
  },
)
