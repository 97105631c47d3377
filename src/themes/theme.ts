/** A theme as pure data: for the terminals of the page, the page itself, and the colours of the command line. */

/** `#rrggbb` */
export type Color = string

/** The colours of a terminal, with the names that xterm.js gives them. */
export interface TerminalColors {
  readonly foreground: Color
  readonly background: Color
  readonly cursor: Color
  /** The character below the cursor. */
  readonly cursorAccent: Color
  readonly selectionBackground: Color
  readonly black: Color
  readonly red: Color
  readonly green: Color
  readonly yellow: Color
  readonly blue: Color
  readonly magenta: Color
  readonly cyan: Color
  readonly white: Color
  readonly brightBlack: Color
  readonly brightRed: Color
  readonly brightGreen: Color
  readonly brightYellow: Color
  readonly brightBlue: Color
  readonly brightMagenta: Color
  readonly brightCyan: Color
  readonly brightWhite: Color
}

/** The colours of the page around the terminals. */
export interface UiColors {
  readonly background: Color
  /** Bars and lists. */
  readonly surface: Color
  /** Menus, dialogs, and what the pointer is on. */
  readonly raised: Color
  readonly border: Color
  readonly text: Color
  readonly muted: Color
  readonly accent: Color
  /** Text on the accent. */
  readonly onAccent: Color
  readonly danger: Color
  readonly warning: Color
  readonly success: Color
}

export interface Theme {
  readonly name: string
  readonly kind: 'dark' | 'light'
  readonly terminal: TerminalColors
  readonly ui: UiColors
}
