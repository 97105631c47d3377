/** How the real agents find the scripted model. */
import { join } from 'node:path'
import type { Stage } from './stage.ts'

const CLAUDE_KEY = 'sk-ant-scripted-0123456789abcdef0123456789' // as long as a real one: its end is shown and compared

export const claudeSettings = ({ model }: Stage): string[] => [
  ...['-e', `ANTHROPIC_BASE_URL=${model.url}`],
  ...['-e', `ANTHROPIC_API_KEY=${CLAUDE_KEY}`],
]

export const CODEX_SETTINGS: readonly string[] = ['-e', 'OPENAI_API_KEY=sk-scripted-0123456789']

/**
 * The host's configuration, which must reach the box as the seed of its volume. It names a provider of its own,
 * because the built-in one tries a web socket first; Codex gives a model that it does not know plain tools.
 */
export function configureCodex({ t, model }: Stage): void {
  const lines = [
    'model = "scripted"',
    'model_provider = "scripted"',
    '[model_providers.scripted]',
    'name = "Scripted"',
    `base_url = "${model.url}/v1"`,
    'wire_api = "responses"',
    'env_key = "OPENAI_API_KEY"',
    `[projects."${t.workspace}"]`,
    'trust_level = "trusted"',
  ]
  t.write(join(t.home, '.codex/config.toml'), `${lines.join('\n')}\n`)
}
