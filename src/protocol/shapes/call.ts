/** A call of the table: the shapes of its request and reply. Parsers, types and documentation follow from them. */
import type { Of, Shape } from './shapes.ts'

export interface CallShape<Request, Reply> {
  /** One sentence for the protocol page. */
  readonly about: string
  readonly request: Shape<Request>
  readonly reply: Shape<Reply>
}

/** Declares one call; its types follow from its shapes. */
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
