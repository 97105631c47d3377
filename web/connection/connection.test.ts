import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test'
import { delayBefore } from './backoff.ts'
import { CLOSED_ENDING, CLOSED_SIGNED_OUT, ConnectionLost } from './connection.ts'
import { FakeDaemon } from './fake-socket.ts'

const flush = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('a connection', () => {
  let daemon: FakeDaemon
  beforeEach(() => {
    jest.useFakeTimers()
    daemon = new FakeDaemon()
    daemon.connection.start()
  })
  afterEach(() => {
    daemon.connection.stop()
    jest.useRealTimers()
  })

  test('greets with its number and asks for events', () => {
    daemon.socket.greet()
    expect(daemon.socket.messages[0]).toMatchObject({ type: 'hello', client: 7, protocol: 4 })
    expect(daemon.socket.asked('events').channel).toBe(0)
    expect(daemon.connection.state.value).toBe('online')
    expect(daemon.connection.release.value).toBe('1.0.0')
  })

  test('gives each call the answer to it', async () => {
    const { connection, socket } = daemon
    socket.greet()
    const first = connection.call('box.list', {})
    const second = connection.call('box.kill', { box: 'a', cwd: '', force: false })
    const [one, two] = [socket.asked('box.list'), socket.asked('box.kill')]
    socket.tell({ type: 'error', id: two.id, error: { code: 'E_NO_BOX', message: 'no', hint: 'look' } })
    socket.tell({ type: 'result', id: one.id, value: [] })
    expect(await first).toEqual([])
    expect(second).rejects.toMatchObject({ code: 'E_NO_BOX', hint: 'look' })
    await flush()
  })

  test('rejects what was asked when it is lost, and never asks again by itself', async () => {
    const { connection } = daemon
    daemon.socket.greet()
    const killed = connection.call('box.kill', { box: 'a', cwd: '', force: false })
    const failure = killed.catch((error: unknown) => error)
    daemon.socket.drop()
    expect(await failure).toBeInstanceOf(ConnectionLost)
    jest.advanceTimersByTime(10_000)
    daemon.socket.greet()
    expect(daemon.socket.calls.map(({ call }) => call.do)).toEqual(['events'])
  })

  test('tries again later each time, at most every eight seconds', async () => {
    daemon.socket.greet()
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt++) {
      daemon.socket.drop()
      await flush()
      const wait = (daemon.connection.retryAt.value ?? 0) - Date.now()
      waits.push(wait)
      const before = daemon.sockets.length
      jest.advanceTimersByTime(wait - 1)
      expect(daemon.sockets.length).toBe(before)
      jest.advanceTimersByTime(1)
      expect(daemon.sockets.length).toBe(before + 1)
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000])
    daemon.socket.greet()
    daemon.socket.drop()
    expect(daemon.connection.retryAt.value).toBe(Date.now() + 250)
  })

  test('comes back at once to a daemon that makes room for another', () => {
    daemon.socket.greet()
    daemon.socket.tell({ type: 'bye', why: 'retire' })
    daemon.socket.drop(CLOSED_ENDING)
    expect(daemon.connection.state.value).toBe('away')
    jest.advanceTimersByTime(0)
    expect(daemon.sockets.length).toBe(2)
  })

  test('says when serving has ended, until it is back', async () => {
    daemon.socket.greet()
    daemon.socket.drop(CLOSED_ENDING)
    expect(daemon.connection.state.value).toBe('ended')
    jest.advanceTimersByTime(1_999)
    expect(daemon.sockets.length).toBe(1)
    jest.advanceTimersByTime(1)
    expect(daemon.sockets.length).toBe(2)
    daemon.socket.drop()
    await flush()
    expect(daemon.connection.state.value).toBe('ended')
    jest.advanceTimersByTime(2_000)
    daemon.socket.greet()
    expect(daemon.connection.state.value).toBe('online')
    daemon.socket.drop()
    expect(daemon.connection.state.value).toBe('away')
  })

  test('does not come back when this browser was signed out', () => {
    daemon.socket.greet()
    daemon.socket.drop(CLOSED_SIGNED_OUT)
    expect(daemon.connection.state.value).toBe('signed-out')
    jest.advanceTimersByTime(60_000)
    expect(daemon.sockets.length).toBe(1)
  })

  test('finds out whether a refused attempt means that it was signed out', async () => {
    daemon.socket.greet()
    daemon.socket.drop()
    jest.advanceTimersByTime(300)
    daemon.isSignedIn = false
    daemon.socket.drop()
    await flush()
    expect(daemon.connection.state.value).toBe('signed-out')
  })

  test('gives a dead line up when a question stays unanswered', async () => {
    daemon.socket.greet()
    const first = daemon.socket
    daemon.connection.check()
    first.tell({ type: 'result', id: first.asked('system.status').id, value: {} })
    await flush()
    jest.advanceTimersByTime(10_000)
    expect(daemon.connection.state.value).toBe('online')
    daemon.connection.check()
    jest.advanceTimersByTime(6_000)
    expect(daemon.connection.state.value).toBe('away')
    expect(first.isClosed).toBe(true)
  })

  test('doubts a line that does not confirm what was typed, and gives it up', () => {
    daemon.socket.greet()
    const first = daemon.socket
    const asks = () => first.calls.filter(({ call }) => call.do === 'system.status').length
    daemon.connection.input(1, new Uint8Array([97]))
    first.taken(1, 1)
    jest.advanceTimersByTime(5_000)
    expect(asks()).toBe(0)
    daemon.connection.input(1, new Uint8Array([98]))
    jest.advanceTimersByTime(1_000)
    daemon.connection.input(1, new Uint8Array([99]))
    jest.advanceTimersByTime(500)
    expect(asks()).toBe(1)
    jest.advanceTimersByTime(6_000)
    expect(daemon.connection.state.value).toBe('away')
  })

  test('tries at once when the network is back', () => {
    daemon.socket.greet()
    daemon.socket.drop()
    daemon.connection.check()
    expect(daemon.sockets.length).toBe(2)
  })

  test('stops for a daemon of another protocol, whose page has to be loaded', () => {
    daemon.socket.greet(5)
    expect(daemon.connection.isOutdated.value).toBe(true)
    expect(daemon.socket.isClosed).toBe(true)
  })

  test('hangs up on bytes that are no frames', () => {
    daemon.socket.greet()
    const first = daemon.socket
    first.receive(new Uint8Array([0xff, 0xff, 0xff, 0xff, 1]))
    expect(daemon.connection.state.value).toBe('away')
    expect(first.isClosed).toBe(true)
  })
})

test('pages that lost their daemon together do not come back together', () => {
  const delays = [0, 0.25, 0.5, 0.75, 1].map((random) => delayBefore(3, random))
  expect(new Set(delays).size).toBe(5)
  expect(Math.min(...delays)).toBeGreaterThan(1500)
  expect(Math.max(...delays)).toBeLessThan(2500)
})
