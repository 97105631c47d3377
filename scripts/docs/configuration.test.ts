import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SET_VARIABLES, VARIABLE_DOCS } from '../../src/config/key-docs.ts'
import { readLayers } from '../../src/config/load.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { configurationPage, keys } from './configuration.ts'

const root = dirname(dirname(import.meta.dir))

test('every key that has an effect has an example, which is read and differs from the default', () => {
  expect(keys().length).toBeGreaterThan(15)
  for (const { table, name, field, doc, standing, projectMay } of keys()) {
    const text = `[${table}]\n${name} = ${doc?.example}\n`
    const layer = projectMay ? 'project' : 'global'
    if (!projectMay) expect([name, doc?.project]).toEqual([name, expect.stringMatching(/^never, /)])
    const read: Readonly<Record<string, unknown>> = {
      ...parseConfig(text, { file: text, layer }).layer[table],
    }
    expect([name, read[name]]).not.toEqual([name, field.default])
    // It says what a project may not do exactly where there is a rule.
    expect([name, doc?.project !== undefined]).toEqual([name, standing !== 'free'])
  }
})

test('a key without effect is not in the reference', () => {
  const page = configurationPage()
  for (const key of ['workspace.writable', 'network.allow', 'limits.memory']) expect(page).not.toContain(key)
  expect(page).not.toContain('veth')
})

test('every COOP_ variable of the code is in the reference, and no other', () => {
  const found = new Set<string>()
  for (const file of new Bun.Glob('src/**/*.ts').scanSync(root)) {
    if (file.endsWith('.test.ts') || file === 'src/config/key-docs.ts') continue
    const text = readFileSync(join(root, file), 'utf8').replace(/declare const \w+: string/g, '') // set by the build
    for (const [, name = ''] of text.matchAll(/(?:\benv\.|')(COOP_[A-Z_]+)\b/g)) found.add(name)
    for (const [, name = ''] of text.matchAll(/^ +(COOP_[A-Z_]+):/gm)) found.add(name)
  }
  const documented = [...Object.keys(VARIABLE_DOCS), ...Object.keys(SET_VARIABLES)]
  expect([...found].toSorted()).toEqual(documented.toSorted())
})

test('the reference names the layers that really set a key', () => {
  const page = configurationPage()
  const env = { COOP_IMAGE: 'debian:latest', COOP_AGENT: 'codex', COOP_NETWORK: 'none' }
  const { origins } = readLayers({ configDir: '/nowhere', workspace: '/nowhere', env })
  const byVariable = [...origins].flatMap(([key, { kind }]) => (kind === 'environment' ? [key] : []))
  const said = [...page.matchAll(/^### (\S+)\n\n.*\n\n(?:- .*\n)*?- \*\*Can be set in:\*\* .*`COOP_/gm)].map(
    ([, key]) => key ?? '',
  )
  expect(said.toSorted()).toEqual(byVariable.toSorted())
})
