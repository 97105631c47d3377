import { describe, expect, test } from 'bun:test'
import { CoopError } from '../core/errors.ts'
import { type AgentChoice, agentArgv, chooseAgent, noAgentText } from './choose.ts'
import type { Discovery, FoundAgent } from './find.ts'

const found = (name: FoundAgent['name']): FoundAgent => ({
  name,
  command: `/opt/agents/${name}`,
  mounts: [],
  links: [],
  pathEntries: [],
})
const BOTH: Discovery = { found: [found('claude'), found('codex')], refused: [] }
const NONE: Discovery = { found: [], refused: [] }
const FACTS = { home: '/home/coop', workspace: '/projects/repo "x"', environment: {} }

function choose(choice: Partial<AgentChoice>, discovery = BOTH) {
  return chooseAgent({ agent: undefined, args: [], shell: 'bash', ...choice }, discovery)
}

function error(choice: Partial<AgentChoice>, discovery = BOTH): CoopError {
  try {
    choose(choice, discovery)
  } catch (error) {
    if (error instanceof CoopError) return error
  }
  throw new Error('nothing was raised')
}

test('a shell in the place of an agent is told of, with the way to get one', () => {
  const say = (agent: string, discovery: Discovery | undefined) =>
    noAgentText({ agent, shell: 'zsh' }, discovery)
  expect(say('', BOTH)).toBeUndefined()
  expect(say('top', NONE)).toBeUndefined()
  expect(say(' ', NONE)).toMatch(
    /^no agent is installed \(claude, .*so the box runs zsh; install one outside of the box, .*npm/,
  )
  const refused = [{ name: 'codex', path: '/x/codex', reason: 'it is open to others' } as const]
  expect(say('', { found: [], refused })).toMatch(/^the agent codex at \/x\/codex cannot .* with npm .*codex/)
  expect(say('', undefined)).toMatch(/^no agent is named, and coop looks for none in an image/)
})

describe('chooseAgent', () => {
  test('takes the first installed agent, brakes off', () => {
    const chosen = choose({})
    expect(chosen.title).toBe('claude')
    expect(agentArgv(chosen, FACTS)).toEqual(['/opt/agents/claude', '--dangerously-skip-permissions'])
  })

  test('takes the shell when none is installed', () => {
    expect(agentArgv(choose({}, NONE), FACTS)).toEqual(['bash'])
    expect(choose({ agent: '' }, NONE).title).toBe('bash')
  })

  test('takes a named agent, and trusts the workspace by name', () => {
    const argv = agentArgv(choose({ agent: 'codex' }), FACTS)
    expect(argv[0]).toBe('/opt/agents/codex')
    expect(argv).toContain('projects={"/projects/repo \\"x\\""={trust_level="trusted"}}')
  })

  test('lets configured arguments replace the autonomous ones', () => {
    expect(agentArgv(choose({ args: ['--resume'] }), FACTS)).toEqual(['/opt/agents/claude', '--resume'])
    const both = choose({ agent: 'claude --model opus', args: ['-c'] })
    expect(agentArgv(both, FACTS)).toEqual(['/opt/agents/claude', '--model', 'opus', '-c'])
  })

  test('splits a command with arguments and takes it as it is', () => {
    const chosen = choose({ agent: "sh -c 'sleep infinity'" })
    expect(agentArgv(chosen, FACTS)).toEqual(['sh', '-c', 'sleep infinity'])
    expect(chosen.adapter).toBeUndefined()
  })

  test('takes a path and a command that exists as they are', () => {
    expect(agentArgv(choose({ agent: '/opt/my/agent' }), FACTS)).toEqual(['/opt/my/agent'])
    expect(agentArgv(choose({ agent: 'htop', hasCommand: () => true }), FACTS)).toEqual(['htop'])
    expect(agentArgv(choose({ agent: 'my-agent' }), FACTS)).toEqual(['my-agent'])
  })

  test('says how to install a known agent that is missing', () => {
    const raised = error({ agent: 'gemini' })
    expect(raised.code).toBe('E_AGENT')
    expect(raised.hint).toContain('npm install -g @google/gemini-cli')
  })

  test('takes a known agent that the image brings', () => {
    const chosen = choose({ agent: 'gemini', hasCommand: () => true })
    expect(agentArgv(chosen, FACTS)).toEqual(['gemini', '--yolo'])
  })

  test('says why an installed agent cannot be used', () => {
    const refused = [{ name: 'aider' as const, path: '/home/me/bin/aider', reason: 'it would show too much' }]
    expect(error({ agent: 'aider' }, { found: [], refused }).message).toContain('it would show too much')
  })

  test('suggests the nearest agent for a mistyped one', () => {
    expect(error({ agent: 'cluade' }).hint).toContain('claude')
    expect(error({ agent: 'gemni', hasCommand: () => false }).hint).toContain('gemini')
    expect(error({ agent: 'nonsense', hasCommand: () => false }).hint).toContain('known agents')
  })

  test('refuses a command line with open quotes', () => {
    expect(error({ agent: "sh -c 'x" }).code).toBe('E_AGENT')
  })
})
