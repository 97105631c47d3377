import { expect, test } from 'bun:test'
import TOML from '@iarna/toml'
import { brokeredConfig } from './codex-config.ts'

const URL = 'http://127.0.0.1:1234/openai/v1'
const OWN =
  '# mine\nmodel = "x"\nmodel_provider = "azure"\nargs = [\n  ["a"],\n]\n[model_providers.azure]\nname = "y"'

test('the file gets the provider, and is as before without it', () => {
  for (const own of [undefined, '', 'model = "x"\n', OWN, `${OWN}\n`]) {
    const brokered = brokeredConfig(own, URL) ?? ''
    const { model_provider, model_providers, ...others } = TOML.parse(brokered)
    expect(model_provider).toBe('coop')
    expect(model_providers).toMatchObject({ coop: { base_url: URL, env_key: 'OPENAI_API_KEY' } })
    const before = TOML.parse(own ?? '')
    for (const name of Object.keys(others)) expect(others[name]).toEqual(before[name] as never)
    expect(brokeredConfig(brokered, URL)).toBeUndefined() // nothing to change
    expect(brokeredConfig(brokered, `${URL}/other`)).toContain(`${URL}/other`)
    expect(brokeredConfig(brokered, undefined)).toBe(own ?? '')
  }
  expect(brokeredConfig(OWN, undefined)).toBeUndefined()
  expect(brokeredConfig(undefined, undefined)).toBeUndefined()
})
