/**
 * The providers that the broker serves: where their APIs are, how they take a key, and what a box may ask for with it. The
 * lists are short on purpose. Models answer and nothing else: a key also opens what others of the account have stored
 * there (files, batches, stored answers) and, on some accounts, its administration.
 */
import type { BrokerConfig } from '../../config/config.ts'

export type ProviderName = keyof BrokerConfig

export interface Provider {
  readonly title: string
  /** The address of its API, without a slash at the end. */
  readonly url: string
  /** What stands for that address in the paths of the broker. */
  readonly prefix: string
  /** The variables that its clients read. */
  readonly keyVariable: string
  readonly urlVariable: string
  /** More variables by which a box could get a key of the same provider, or leave the broker. */
  readonly otherVariables: readonly string[]
  /** The header for its key, in lower case; `bearer` means Authorization. */
  readonly header: 'x-api-key' | 'x-goog-api-key' | 'bearer'
  /** The parameters that may follow a path. Others can stand for a key, or for another method. */
  readonly parameters: RegExp
  /** The requests that pass: methods, and paths below its address. */
  readonly requests: readonly (readonly [methods: readonly string[], path: RegExp])[]
  /** Those of them that cost something. */
  readonly billed: RegExp
}

const READ = ['GET', 'HEAD']
const ASK = ['POST']

export const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  anthropic: {
    title: 'Anthropic',
    url: 'https://api.anthropic.com',
    prefix: '/anthropic',
    keyVariable: 'ANTHROPIC_API_KEY',
    urlVariable: 'ANTHROPIC_BASE_URL',
    otherVariables: ['ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    header: 'x-api-key',
    parameters: /^(?:beta|limit|after_id|before_id)$/,
    requests: [
      [ASK, /^\/v1\/messages(?:\/count_tokens)?$/],
      [READ, /^\/v1\/models(?:\/[\w.:-]+)?$/],
    ],
    billed: /^\/v1\/messages$/,
  },
  openai: {
    title: 'OpenAI',
    url: 'https://api.openai.com/v1',
    prefix: '/openai/v1',
    keyVariable: 'OPENAI_API_KEY',
    urlVariable: 'OPENAI_BASE_URL',
    otherVariables: ['CODEX_API_KEY', 'OPENAI_API_BASE'],
    header: 'bearer',
    parameters: /^(?:client_version|limit|after|order)$/,
    requests: [
      [ASK, /^\/responses(?:\/compact|\/input_tokens)?$/],
      [ASK, /^\/(?:chat\/completions|completions|embeddings|moderations)$/],
      [READ, /^\/models(?:\/[\w.:-]+)*$/],
    ],
    billed: /^\/(?:responses(?:\/compact)?|chat\/completions|completions|embeddings)$/,
  },
  gemini: {
    title: 'Gemini',
    url: 'https://generativelanguage.googleapis.com',
    prefix: '/gemini',
    keyVariable: 'GEMINI_API_KEY',
    urlVariable: 'GOOGLE_GEMINI_BASE_URL',
    otherVariables: ['GOOGLE_API_KEY'],
    header: 'x-goog-api-key',
    parameters: /^(?:alt|pageSize|pageToken)$/,
    requests: [
      [
        ASK,
        /^\/v1(?:beta|alpha)?\/models\/[\w.-]+:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/,
      ],
      [READ, /^\/v1(?:beta|alpha)?\/models(?:\/[\w.-]+)?$/],
    ],
    billed: /:(?:generateContent|streamGenerateContent|embedContent|batchEmbedContents)$/,
  },
}

export const PROVIDER_NAMES = Object.keys(PROVIDERS) as readonly ProviderName[]

export const isProviderName = (name: unknown): name is ProviderName =>
  PROVIDER_NAMES.some((known) => known === name)

/** The provider that a path of the broker belongs to, and the path below its address. */
export function routeOf(
  path: string,
): { readonly provider: ProviderName; readonly path: string } | undefined {
  for (const provider of PROVIDER_NAMES) {
    const { prefix } = PROVIDERS[provider]
    if (path.startsWith(`${prefix}/`)) return { provider, path: path.slice(prefix.length) }
  }
  return undefined
}

/** Whether a request is one that boxes may make. */
export const isAllowed = (provider: ProviderName, method: string, path: string): boolean =>
  PROVIDERS[provider].requests.some(([methods, paths]) => methods.includes(method) && paths.test(path))
