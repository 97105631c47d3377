import { expect, test } from 'bun:test'
import { forShell } from './place.ts'

test('what a person pastes is one word to a shell', () => {
  expect(forShell('https://releases.example.com:8443/coop')).toBe('https://releases.example.com:8443/coop')
  for (const word of ['https://x/;id', 'https://x/$(id)', "it's", 'a b', '`id`', '~root', 'a&b', '*', '']) {
    const { stdout } = Bun.spawnSync(['sh', '-c', `printf '%s\\n' ${forShell(word)}`])
    expect(stdout.toString()).toBe(`${word}\n`)
  }
})
