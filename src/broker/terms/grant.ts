/** What a box may use of the broker. A part of its manifest; keys are not. */
import { randomBytes } from 'node:crypto'
import type { BrokeredProvider } from '../../config/broker-values.ts'
import type { ProviderName } from './providers.ts'

const BYTES = 32 // 256 bits

/**
 * The end of every token. Claude Code remembers the last 20 characters of a key that it may use, in a file that outlives
 * boxes: with an end of its own, each box would add a line to it.
 */
const TAIL = '-placeholder-of-coop'

export interface Grant {
  /** Shows to the broker which box asks. The box has it in the place of keys; it opens nothing else. */
  readonly token: string
  readonly providers: Readonly<Partial<Record<ProviderName, BrokeredProvider>>>
}

export const newToken = (): string => `coop-${randomBytes(BYTES).toString('base64url')}${TAIL}`

const TOKEN = new RegExp(`^coop-[A-Za-z0-9_-]{43}${TAIL}$`)

export const isToken = (text: string): boolean => TOKEN.test(text)
