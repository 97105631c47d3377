/** What a call of the table is: its request and its reply, from which parsers, types and documentation follow. */
import type { Of, Shape } from './shapes.ts'

export interface CallShape<Request, Reply> {
  /** One sentence for the protocol page. */
  readonly about: string
  readonly request: Shape<Request>
  readonly reply: Shape<Reply>
}

/** One call, with its types taken from its shapes. */
export function call<Request, Reply>(
  about: string,
  request: Shape<Request>,
  reply: Shape<Reply>,
): CallShape<Request, Reply> {
  return { about, request, reply }
}

export type Table = Readonly<Record<string, CallShape<unknown, unknown>>>
export type NameIn<T extends Table> = keyof T & string
export type RequestIn<T extends Table, N extends NameIn<T>> = Of<T[N]['request']>
export type ReplyIn<T extends Table, N extends NameIn<T>> = Of<T[N]['reply']>
