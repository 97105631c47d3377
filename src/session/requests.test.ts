import { expect, test } from 'bun:test'
import { Requests } from './requests.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A connection that carries out what it may, and says what happens. */
function connection() {
  const handled: string[] = []
  const paused: boolean[] = []
  const state = { queued: 0, isClosed: false }
  const requests = new Requests({
    get queued() {
      return state.queued
    },
    parse: (payload) => {
      const id = Number(Buffer.from(payload).toString().split(' ')[1])
      return id < 0
        ? undefined
        : Buffer.from(payload).toString().startsWith('call')
          ? { type: 'call', id, call: { do: 'system.status' } }
          : { type: 'close', channel: id }
    },
    handle: (message) =>
      handled.push(
        `${message.type} ${'id' in message ? message.id : 'channel' in message && message.channel}`,
      ),
    pause: (isPaused) => paused.push(isPaused),
    close: () => {
      state.isClosed = true
      requests.end()
    },
  })
  const push = (text: string): void => requests.push(Buffer.from(text))
  return { requests, handled, paused, state, push }
}

test('many calls at once are carried out some in each turn, in order, and nothing overtakes them', async () => {
  const { handled, paused, push } = connection()
  const all = [...Array.from({ length: 20 }, (_, id) => `call ${id}`), 'close 5']
  for (const one of all) push(one)
  expect(handled).toEqual(all.slice(0, 8))
  expect(paused).toEqual([true])
  await turn()
  expect(handled).toEqual(all.slice(0, 16))
  await turn()
  expect(handled).toEqual(all)
  expect(paused).toEqual([true, false])
})

test('no call is carried out while answers wait to be taken, and everything else is', async () => {
  const { requests, handled, state, push } = connection()
  state.queued = 1 << 20
  push('close 1')
  push('call 2')
  await turn()
  expect(handled).toEqual(['close 1'])
  state.queued = 0
  requests.goOn()
  expect(handled).toEqual(['close 1', 'call 2'])
})

test('a connection that sends on without an end is closed, as is one that sends what is no message', async () => {
  const { state, push, handled } = connection()
  state.queued = 1 << 20
  for (let id = 0; id < 2_000 && !state.isClosed; id++) push(`call ${id} ${'x'.repeat(1_000)}`)
  expect([state.isClosed, handled]).toEqual([true, []])
  const other = connection()
  for (let id = 0; id < 9; id++) other.push(`call ${id}`)
  other.push('call -1')
  await turn()
  expect(other.state.isClosed).toBe(true)
})
