import { expect, test } from 'bun:test'
import { waitUntil } from '../../test/harness/wait.ts'
import type { Activity } from './activity.ts'
import { AgentWatch, TELL_MS } from './agent-watch.ts'
import type { Pty } from './pty.ts'
import type { PtyListener } from './pty-client.ts'

function watch(words?: () => Promise<string>) {
  const told: { state: string | undefined; text: string | undefined }[] = []
  let listener: PtyListener = {}
  const pty = { listen: (given: PtyListener) => (listener = given) }
  const agent = new AgentWatch(pty as unknown as Pty, undefined, {
    changed: (activity: Activity | undefined) => told.push({ state: activity?.state, text: activity?.text }),
    ...(words ? { words } : {}),
  })
  const print = (text: string): void => listener.output?.(Buffer.from(text))
  return {
    agent,
    told,
    print,
    say: (text: string) => print(`\x1b]9;${text}\x07`),
    type: (text: string) => listener.input?.(Buffer.from(text)),
  }
}

test('the first word is told at once, of a thousand more the last one', async () => {
  const { agent, told, say } = watch()
  const began = performance.now()
  say('first')
  expect(told).toMatchObject([{ text: 'first' }])
  for (let at = 0; at < 1000; at++) say(`n${at}`)
  await waitUntil(() => told.at(-1)?.text === 'n999', 'the last one')
  const most = 1 + (performance.now() - began) / TELL_MS // 2 on an idle machine
  expect(told.length).toBeLessThanOrEqual(most)
  agent.reset()
})

test('who asks gets what is so now, and not what was told last', () => {
  const { agent, told, print } = watch()
  print('\x1b]7501;state=blocked:msg=cT8=\x07')
  print('\x1b]7501;state=done\x07')
  expect(told).toMatchObject([{ state: 'blocked' }])
  expect(agent.activity).toMatchObject({ state: 'done' })
  agent.reset()
})

test('a question that was answered meanwhile is not told', async () => {
  const { agent, told, say, type } = watch()
  say('first')
  say('second')
  type('y')
  await waitUntil(() => told.length === 2, 'the end of the wait')
  expect(told[1]?.text).toBeUndefined()
  agent.reset()
})

test('the end of the program is told at once', () => {
  const { agent, told, say } = watch()
  say('first')
  agent.reset()
  expect(told).toMatchObject([{ text: 'first' }, { state: undefined }])
})

test('a bell gets the words of the screen, once it is drawn, and is told once', async () => {
  let read = 0
  const { agent, told, print } = watch(async () => `screen ${++read}`)
  print('\x07')
  expect(told).toEqual([])
  await waitUntil(() => told.length > 0, 'the bell')
  expect(told).toEqual([{ state: 'waiting', text: 'screen 1' }])
  for (let at = 0; at < 100; at++) print('\x07drawn')
  agent.reset()
  expect(told).toHaveLength(2)
  expect(read).toBe(1)
})

test('a question that is over when the screen has been read is not told', async () => {
  const screen = Promise.withResolvers<string>()
  let reads = 0
  const { agent, told, print } = watch(() => {
    reads++
    return screen.promise
  })
  print('\x1b]7501;state=blocked:app=x\x07')
  await waitUntil(() => reads > 0, 'the reading')
  print('\x1b]7501;state=working:app=x\x07')
  screen.resolve('old')
  await waitUntil(() => told.length > 0, 'the next state')
  expect(told).toEqual([{ state: 'working', text: undefined }])
  agent.reset()
})

test('a flood of reports is told at most twice a second, and the screen read no oftener', async () => {
  let reads = 0
  const { agent, told, print } = watch(async () => `${++reads}`)
  const began = performance.now()
  for (let at = 0; at < 2000; at++)
    print(`\x1b]7501;state=${at % 2 ? 'blocked' : 'working'}\x07\x1b]0;⠙ ${at}\x07\x1b]9;4;1;${at % 100}\x07`)
  await waitUntil(() => told.at(-1)?.state === 'blocked', 'the last one')
  const most = 2 + (performance.now() - began) / TELL_MS
  expect(told.length).toBeLessThanOrEqual(most)
  expect(reads).toBeLessThanOrEqual(most)
  agent.reset()
})
