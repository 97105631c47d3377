import { expect, test } from 'bun:test'
import { waitUntil } from '../../test/harness/wait.ts'
import { AgentWatch, TELL_MS } from './agent-watch.ts'
import type { Pty } from './pty.ts'
import type { PtyListener } from './pty-client.ts'
import type { Waiting } from './waiting.ts'

function watch() {
  const told: { text: string | undefined; at: number }[] = []
  let listener: PtyListener = {}
  const pty = { listen: (given: PtyListener) => (listener = given) }
  const agent = new AgentWatch(pty as unknown as Pty, undefined, (waiting: Waiting | undefined) =>
    told.push({ text: waiting?.text, at: performance.now() }),
  )
  return {
    agent,
    told,
    say: (text: string) => listener.output?.(Buffer.from(`\x1b]9;${text}\x07`)),
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
  expect(told).toMatchObject([{ text: 'first' }, { text: undefined }])
})
