/**
 * Prices of models, to tell what a box has spent. They change: `prices` of a provider in `[broker]` is stronger, and a model
 * that neither names counts as the dearest of its provider, so that a budget errs on the safe side.
 */
import type { Price } from '../../config/broker-values.ts'
import type { ProviderName } from './providers.ts'

/** When the table was made. */
export const PRICES_OF = '2025-10'

/** By the beginning of a model's name: the longest that fits counts. US dollars for a million tokens. */
const PRICES: Readonly<Record<ProviderName, Readonly<Record<string, Price>>>> = {
  anthropic: {
    'claude-opus-4': [15, 75, 1.5, 18.75],
    'claude-sonnet-4': [3, 15, 0.3, 3.75],
    'claude-haiku-4': [1, 5, 0.1, 1.25],
    'claude-3-7-sonnet': [3, 15, 0.3, 3.75],
    'claude-3-5-haiku': [0.8, 4, 0.08, 1],
    'claude-3-haiku': [0.25, 1.25, 0.03, 0.3],
  },
  openai: {
    'gpt-5': [1.25, 10, 0.125],
    'gpt-5-mini': [0.25, 2, 0.025],
    'gpt-5-nano': [0.05, 0.4, 0.005],
    'gpt-5-pro': [15, 120],
    'gpt-4.1': [2, 8, 0.5],
    'gpt-4.1-mini': [0.4, 1.6, 0.1],
    'gpt-4.1-nano': [0.1, 0.4, 0.025],
    'gpt-4o': [2.5, 10, 1.25],
    'gpt-4o-mini': [0.15, 0.6, 0.075],
    o3: [2, 8, 0.5],
    'o4-mini': [1.1, 4.4, 0.275],
  },
  gemini: {
    'gemini-2.5-pro': [2.5, 15, 0.25], // of prompts above 200,000 tokens; shorter ones cost less
    'gemini-2.5-flash': [0.3, 2.5, 0.03],
    'gemini-2.5-flash-lite': [0.1, 0.4, 0.01],
    'gemini-2.0-flash': [0.1, 0.4, 0.025],
  },
}

export interface Tokens {
  /** Neither cached nor written to the cache. */
  readonly input: number
  readonly output: number
  readonly cached: number
  readonly written: number
}

/** US dollars for these tokens. `own`: the user's prices. */
export function costOf(
  provider: ProviderName,
  model: string,
  tokens: Tokens,
  own: Readonly<Record<string, Price>>,
): number {
  const [input, output, cached = input, written = input] = priceOf(provider, model, own)
  const sum =
    tokens.input * input + tokens.output * output + tokens.cached * cached + tokens.written * written
  return sum / 1e6
}

function priceOf(provider: ProviderName, model: string, own: Readonly<Record<string, Price>>): Price {
  return longest(own, model) ?? longest(PRICES[provider], model) ?? dearest(provider)
}

function longest(prices: Readonly<Record<string, Price>>, model: string): Price | undefined {
  const fitting = Object.entries(prices).filter(([start]) => model.startsWith(start))
  return fitting.toSorted(([one], [other]) => other.length - one.length)[0]?.[1]
}

function dearest(provider: ProviderName): Price {
  const [first = [0, 0]] = Object.values(PRICES[provider]).toSorted((one, other) => other[1] - one[1])
  return first
}
