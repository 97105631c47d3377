import { describe, expect, test } from 'bun:test'
import type { Adapter } from './adapter.ts'
import { ADAPTERS } from './adapters.ts'

function settle(adapter: Adapter, present: Record<string, string>, environment: Record<string, string> = {}) {
  const facts = { home: '/home/coop', workspace: '/w', environment }
  return Object.fromEntries(
    adapter.settle((path) => present[path], facts).map(({ path, text }) => [path, text]),
  )
}

const KEY = 'sk-ant-0123456789-abcdefghij-0123456789'
const TAIL = KEY.slice(-20)
const { claude, codex, gemini } = ADAPTERS

describe('settling Claude Code', () => {
  test('answers every first-run dialog of an empty home', () => {
    const written = settle(claude, {}, { ANTHROPIC_API_KEY: KEY })
    expect(JSON.parse(written['.claude/.claude.json'] ?? '')).toEqual({
      hasCompletedOnboarding: true,
      preferredNotifChannel: 'terminal_bell',
      customApiKeyResponses: { approved: [TAIL] },
    })
    expect(JSON.parse(written['.claude/settings.json'] ?? '')).toEqual({
      skipDangerousModePermissionPrompt: true,
    })
  })

  test('never writes the whole key', () => {
    expect(JSON.stringify(settle(claude, {}, { ANTHROPIC_API_KEY: KEY }))).not.toContain(KEY)
  })

  test('is done after the first time', () => {
    const written = settle(claude, {}, { ANTHROPIC_API_KEY: KEY })
    expect(settle(claude, written, { ANTHROPIC_API_KEY: KEY })).toEqual({})
  })

  test('keeps what is there and adds a second key', () => {
    const state = {
      theme: 'dark',
      hasCompletedOnboarding: true,
      preferredNotifChannel: 'iterm2',
      customApiKeyResponses: { approved: ['a'], rejected: [] },
    }
    const written = settle(
      claude,
      { '.claude/.claude.json': JSON.stringify(state) },
      { ANTHROPIC_API_KEY: KEY },
    )
    expect(JSON.parse(written['.claude/.claude.json'] ?? '')).toEqual({
      ...state,
      customApiKeyResponses: { approved: ['a', TAIL], rejected: [] },
    })
  })

  test('keeps a refusal, and an answer of false', () => {
    const state = {
      hasCompletedOnboarding: false,
      preferredNotifChannel: 'notifications_disabled',
      customApiKeyResponses: { rejected: [TAIL] },
    }
    const present = {
      '.claude/.claude.json': JSON.stringify(state),
      '.claude/settings.json': '{"skipDangerousModePermissionPrompt":false}',
    }
    expect(settle(claude, present, { ANTHROPIC_API_KEY: KEY })).toEqual({})
  })

  test('leaves files alone that are no JSON objects', () => {
    const present = { '.claude/.claude.json': '{broken', '.claude/settings.json': '[1]' }
    expect(settle(claude, present, { ANTHROPIC_API_KEY: KEY })).toEqual({})
  })
})

describe('settling Codex', () => {
  test('logs in with the key of the environment, once', () => {
    const written = settle(codex, {}, { OPENAI_API_KEY: 'sk-x' })
    expect(JSON.parse(written['.codex/auth.json'] ?? '')).toMatchObject({ OPENAI_API_KEY: 'sk-x' })
    expect(settle(codex, { '.codex/auth.json': '{}' }, { OPENAI_API_KEY: 'sk-x' })).toEqual({})
    expect(settle(codex, {}, {})).toEqual({})
  })
})

describe('settling Gemini CLI', () => {
  test('chooses the key only where nothing was chosen', () => {
    const path = '.gemini/settings.json'
    const fresh = settle(gemini, {}, { GEMINI_API_KEY: 'k' })
    expect(JSON.parse(fresh[path] ?? '')).toMatchObject({
      security: { auth: { selectedType: 'gemini-api-key' } },
    })
    const chosen =
      '{"security":{"auth":{"selectedType":"oauth-personal"}},"general":{"enableAutoUpdate":true}}'
    expect(settle(gemini, { [path]: chosen }, { GEMINI_API_KEY: 'k' })).toEqual({})
  })
})

describe('every adapter', () => {
  for (const adapter of Object.values(ADAPTERS)) {
    test(`${adapter.name} settles only inside its folders`, () => {
      const keys = { ANTHROPIC_API_KEY: KEY, OPENAI_API_KEY: 'k', GEMINI_API_KEY: 'k' }
      for (const path of Object.keys(settle(adapter, {}, keys))) {
        expect(adapter.folders.some((folder) => path.startsWith(`${folder.path}/`))).toBe(true)
      }
    })

    test(`${adapter.name} lists no name as both copied and left out`, () => {
      for (const { seed } of adapter.folders) {
        expect(seed.copied.filter((name) => seed.leftOut.includes(name))).toEqual([])
      }
    })
  }
})
