import { describe, expect, test } from 'bun:test'
import { UsageReader } from './usage.ts'

const SSE = 'text/event-stream; charset=utf-8'

/** Feeds a text in pieces of every size up to a few bytes, which must make no difference. */
function read(provider: 'anthropic' | 'openai' | 'gemini', type: string, text: string) {
  const all = [1, 2, 7, text.length].map((size) => {
    const reader = new UsageReader(provider, type)
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    return reader.result()
  })
  for (const one of all) expect(one).toEqual(all[0])
  return all[0]
}

const events = (...messages: readonly object[]): string =>
  messages.map((one) => `event: x\r\ndata: ${JSON.stringify(one)}\r\n\r\n`).join('')

describe('what providers report', () => {
  const start = {
    type: 'message_start',
    message: {
      model: 'claude-x',
      usage: {
        input_tokens: 3,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 7,
        output_tokens: 1,
      },
    },
  }
  const delta = { type: 'message_delta', usage: { output_tokens: 40 } }

  test('Anthropic counts up in its events', () => {
    const tokens = { input: 3, cached: 5, written: 7, output: 40 }
    const text = events(start, { type: 'content_block_delta', delta: { text: 'usage' } }, delta)
    expect(read('anthropic', SSE, text)).toEqual({ model: 'claude-x', tokens, isWhole: true })
  })

  test('a stream that is cut off has not reported all', () => {
    expect(read('anthropic', SSE, events(start))).toMatchObject({
      tokens: { input: 3, output: 1 },
      isWhole: false,
    })
    expect(read('openai', SSE, events({ type: 'response.created' }))).toBeUndefined()
    // The model counts for the estimate.
    const created = { type: 'response.created', response: { model: 'gpt-x', usage: null } }
    expect(read('openai', SSE, events(created))).toMatchObject({ model: 'gpt-x', isWhole: false })
  })

  test('OpenAI reports at the end, with cached tokens among the others', () => {
    const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 60 }, output_tokens: 9 }
    const tokens = { input: 40, cached: 60, written: 0, output: 9 }
    const text = events({ type: 'response.completed', response: { model: 'gpt-x', usage } })
    expect(read('openai', SSE, text)).toEqual({ model: 'gpt-x', tokens, isWhole: true })
    const chat = {
      model: 'gpt-y',
      usage: { prompt_tokens: 100, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 60 } },
    }
    expect(read('openai', 'application/json', JSON.stringify(chat))).toEqual({
      model: 'gpt-y',
      tokens,
      isWhole: true,
    })
    expect(
      read('openai', SSE, `${events({ model: 'gpt-y', usage: null }, chat)}data: [DONE]\n\n`),
    ).toMatchObject({ tokens })
  })

  test('Gemini reports with each event, or in a list', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 3,
    }
    const one = { modelVersion: 'gemini-x', usageMetadata }
    const whole = { model: 'gemini-x', tokens: { input: 6, cached: 4, written: 0, output: 5 }, isWhole: true }
    expect(
      read('gemini', SSE, events({ modelVersion: 'gemini-x', usageMetadata: { promptTokenCount: 10 } }, one)),
    ).toEqual(whole)
    expect(read('gemini', 'application/json', JSON.stringify([one]))).toEqual(whole)
  })

  test('nonsense is no report', () => {
    for (const text of [
      '',
      'data: {"usage"',
      'data: [1,"usage",null]\n\n',
      events({ usage: { output_tokens: -1 } }),
      events({ usage: 'x' }),
    ])
      expect(read('anthropic', SSE, text)).toBeUndefined()
    const reader = new UsageReader('openai', 'application/json')
    for (let piece = 0; piece < 20; piece++) reader.push(Buffer.alloc(1 << 20, 'x')) // more than it keeps
    expect(reader.result()).toBeUndefined()
  })
})
