/** Turns one picture of a screen into the next. Loads no emulator. */
export interface Picture {
  /** Sequences for settings of keys, mouse and colours, for a freshly reset terminal. */
  readonly modes: string
  readonly title: string
  /** Each draws one row of the window. The cursor starts in its first column, and the row may contain anything. */
  readonly rows: readonly string[]
  /** Puts the cursor in its place, or hides it. */
  readonly cursor: string
}

const NO_TITLE = '\x1b]0;\x1b\\' // for a program that has taken its title back

/** The sequences that turn one picture into the next. */
export class Pictures {
  #shown: Picture | undefined

  /** `anew`: for a freshly reset terminal. Undefined if nothing has changed. */
  next(picture: Picture): { readonly anew: boolean; readonly bytes: Uint8Array } | undefined {
    const before = this.#shown
    this.#shown = picture
    const anew = before?.modes !== picture.modes || before.rows.length !== picture.rows.length
    let changed = ''
    for (const [row, text] of picture.rows.entries())
      if (anew || text !== before.rows[row]) changed += `\x1b[${row + 1};1H${text}`
    const title = before?.title ?? ''
    if (picture.title !== title) changed += picture.title || NO_TITLE
    else if (anew) changed += title
    if (!changed && picture.cursor === before?.cursor) return undefined
    // Draw all at once. No row may wrap into the next, even if the terminal takes a character for wider than we do.
    const drawn = `\x1b[?2026h\x1b[?7l${changed}\x1b[?7h${picture.cursor}\x1b[?2026l`
    return { anew, bytes: new TextEncoder().encode(anew ? picture.modes + drawn : drawn) }
  }
}
