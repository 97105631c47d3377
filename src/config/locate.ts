/**
 * Finds where each key of a TOML text stands, and refuses text that must not reach the TOML library.
 *
 * The library reports lines for syntax errors only. It also walks dotted keys with `target[key]`: a key such as
 * `toString.call` would write into the functions of `Object.prototype`, and a hostile repository could break the host
 * process. This scanner sees every key first. It reads at least as much of a text as the library does before its first
 * error, and stops at the first character it does not expect.
 */

/** The reason why a text is refused before it is parsed. */
export interface ScanProblem {
  /** The first line is 1. */
  readonly line: number
  readonly problem: string
}

export interface TomlScan {
  /** The line, from 1, of a path or of the nearest enclosing key. */
  readonly lineOf: (path: readonly string[]) => number
  readonly refused: ScanProblem | undefined
  /** The offset after the last character understood, if the text is not TOML. */
  readonly stoppedAt: number | undefined
  /** The line of that offset. */
  readonly lastLine: number
}

interface Node {
  readonly line: number
  readonly children: Map<string, Node>
  /** The number of tables that `[[name]]` has made so far. */
  items: number
}

const MAX_NESTING = 16 // coop.toml needs three
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))
const SPACE = /[ \t]*/y
const BLANK = /[ \t\r]*/y
const BARE_KEY = /[A-Za-z0-9_-]+/y
const WORD = /[A-Za-z0-9_+:.-]+/y
const DATE = /^(?:\d{4}-\d\d-|\d\d:\d\d)/

class Refused extends Error {}
class Stopped extends Error {}

/** Scans a whole text in one pass; never throws. */
export function scanToml(text: string): TomlScan {
  const scanner = new Scanner(text)
  let refused: ScanProblem | undefined
  let stoppedAt: number | undefined
  try {
    scanner.document()
  } catch (error) {
    if (error instanceof Refused) refused = { line: scanner.line, problem: error.message }
    else if (error instanceof Stopped) stoppedAt = Math.min(text.length, scanner.pos + 1)
    else throw error
  }
  return { lineOf: (path) => lineOf(scanner.root, path), refused, stoppedAt, lastLine: scanner.line }
}

function lineOf(root: Node, path: readonly string[]): number {
  let node = root
  for (const name of path) {
    const child = node.children.get(name)
    if (child === undefined) break
    node = child
  }
  return node.line
}

class Scanner {
  readonly root: Node = { line: 1, children: new Map(), items: 0 }
  pos = 0
  line = 1
  readonly #text: string
  #table = this.root

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    while (this.pos < this.#text.length) {
      this.#match(BLANK)
      const char = this.#peek()
      if (char === '\n') this.#newline()
      else if (char === '#') this.#comment()
      else if (char === '[') this.#header()
      else if (char !== '') this.#assignment()
    }
  }

  #header(): void {
    this.pos++
    const list = this.#take('[')
    const path = this.#keyPath()
    if (!this.#take(']') || (list && !this.#take(']'))) throw new Stopped()
    this.#table = this.#enter(this.root, path)
    if (list) {
      const item: Node = { line: this.line, children: new Map(), items: 0 }
      this.#table.children.set(String(this.#table.items++), item)
      this.#table = item
    } else if (this.#table.items > 0) {
      this.#table = this.#table.children.get(String(this.#table.items - 1)) ?? this.#table
    }
    this.#match(BLANK)
    const next = this.#peek()
    if (next !== '' && next !== '\n' && next !== '#') throw new Stopped()
  }

  #assignment(): void {
    const path = this.#keyPath()
    this.#enter(this.#table, path)
    if (!this.#take('=')) throw new Stopped()
    this.#value()
  }

  /** The dotted key at this position, with the blanks around it. */
  #keyPath(): string[] {
    const path: string[] = []
    do {
      this.#match(SPACE)
      const quote = this.#peek()
      const key = quote === '"' || quote === "'" ? this.#string(false) : this.#match(BARE_KEY)
      if (key === '' && quote !== '"' && quote !== "'") throw new Stopped()
      path.push(this.#checkKey(key))
      if (path.length > MAX_NESTING) throw new Refused(`a key may have at most ${MAX_NESTING} parts`)
      this.#match(SPACE)
    } while (this.#take('.'))
    return path
  }

  #checkKey(key: string): string {
    if (INHERITED.has(key)) throw new Refused(`"${key}" is not a key of coop.toml`)
    return key
  }

  #enter(from: Node, path: readonly string[]): Node {
    let node = from
    path.forEach((name, index) => {
      let child = node.children.get(name)
      if (child === undefined) {
        child = { line: this.line, children: new Map(), items: 0 }
        node.children.set(name, child)
      }
      // Keys after `[[name]]` belong to the last table of the list.
      const item = index < path.length - 1 ? child.children.get(String(child.items - 1)) : undefined
      node = item ?? child
    })
    return node
  }

  /** Skips to the end of the statement; only keys and dates in it matter. */
  #value(): void {
    let depth = 0
    for (;;) {
      this.#match(BLANK)
      const char = this.#peek()
      if (char === '' || (depth === 0 && (char === '\n' || char === '#'))) return
      if (char === '\n') this.#newline()
      else if (char === '#') this.#comment()
      else if (char === '"' || char === "'") this.#quotedInValue(depth)
      else if (char === '[' || char === '{') {
        if (++depth > MAX_NESTING) throw new Refused(`values may be nested at most ${MAX_NESTING} deep`)
        this.pos++
      } else if (char === ']' || char === '}') {
        if (--depth < 0) throw new Stopped()
        this.pos++
      } else if ((char === ',' || char === '=') && depth > 0) this.pos++
      else this.#word()
    }
  }

  #quotedInValue(depth: number): void {
    const content = this.#string(true)
    if (depth === 0) return
    this.#match(SPACE)
    // In an inline table this string was a key.
    if (this.#peek() === '.' || this.#peek() === '=') this.#checkKey(content)
  }

  #word(): void {
    const word = this.#match(WORD)
    if (word === '') throw new Stopped()
    // The library's own error for an impossible date has no line.
    if (DATE.test(word)) throw new Refused('no value of coop.toml is a date or time; put it in quotes')
    for (const part of word.split('.')) this.#checkKey(part)
  }

  /** Reads a string of any of the four kinds and returns its content. */
  #string(multiline: boolean): string {
    const quote = this.#peek()
    const triple = quote.repeat(3)
    if (multiline && this.#text.startsWith(triple, this.pos)) return this.#multiline(quote, triple)
    const start = ++this.pos
    for (; ; this.pos++) {
      const char = this.#peek()
      if (char === '' || char === '\n') throw new Stopped()
      if (char === quote) break
      if (char === '\\' && quote === '"') this.pos++
    }
    const raw = this.#text.slice(start, this.pos++)
    return quote === '"' ? decodeEscapes(raw) : raw
  }

  #multiline(quote: string, triple: string): string {
    this.pos += 3
    const start = this.pos
    while (!this.#text.startsWith(triple, this.pos)) {
      const char = this.#peek()
      if (char === '') throw new Stopped()
      if (char === '\n') this.#newline()
      // Keep a line break after a backslash, so that it is counted.
      else this.pos += char === '\\' && quote === '"' && this.#text[this.pos + 1] !== '\n' ? 2 : 1
    }
    const raw = this.#text.slice(start, this.pos)
    this.pos += 3
    // Up to two quotes directly before the closing ones belong to the string.
    for (let extra = 0; extra < 2 && this.#peek() === quote; extra++) this.pos++
    return raw
  }

  #comment(): void {
    const end = this.#text.indexOf('\n', this.pos)
    this.pos = end < 0 ? this.#text.length : end
  }

  #newline(): void {
    this.pos++
    this.line++
  }

  #peek(): string {
    return this.#text.charAt(this.pos)
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.pos++
    return true
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.pos
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.pos += found.length
    return found
  }
}

function decodeEscapes(raw: string): string {
  return raw.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.)/g,
    (whole, short?: string, long?: string) => {
      const code = Number.parseInt(short ?? long ?? '', 16)
      return Number.isNaN(code) || code > 0x10ffff ? whole : String.fromCodePoint(code)
    },
  )
}
