/** Screens of real agents that ask, for tests: Claude Code 2.1.332 and Codex 0.171.0, at 46 and 80 columns. */

interface Screen {
  readonly columns: number
  readonly lines: readonly string[]
  readonly cursor: { readonly row: number; readonly column: number }
}

const screen = (columns: number, row: number, column: number, text: string): Screen => ({
  columns,
  lines: text.slice(1, -1).split('\n'),
  cursor: { row, column },
})

export const CLAUDE_BASH = screen(
  46,
  19,
  1,
  `
 ▐▛███▛█   Claude Code v2.1.332
▝▜██████▀  Opus 5.5 · API Usage Billing
 ▝▝   ▝▝   /home/ada/projects/web-shop


❯ please do it

● Bash(sleep 3; echo made > made.txt)
  ⎿  Waiting…

──────────────────────────────────────────────
 Bash command
 Tip: auto mode handles these prompts for you
 — choose "switch to auto mode" below
 Scripted command
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 sleep 3; echo made > made.txt
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 Do you want to proceed?
 ❯ 1. Yes
   2. Yes, and always allow access to
      /home/ada/projects/web-shop from this
      project
   3. Yes, and switch to auto mode · auto
      mode handles these prompts for you
   4. No

 Esc to cancel · Tab to amend
`,
)

export const CLAUDE_WRITE_80 = screen(
  80,
  17,
  1,
  `
 ▐▛███▛█   Claude Code v2.1.332
▝▜██████▀  Opus 5.5 · API Usage Billing
 ▝▝   ▝▝   /home/ada/projects/web-shop


❯ please do it

● Write(made.txt)

────────────────────────────────────────────────────────────────────────────────
 Create file
 made.txt
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
  1 made
  2 again
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 Do you want to create made.txt?
 ❯ 1. Yes
   2. Yes, and switch to accept edits (auto-approve file edits and common file
      commands) for this session (shift+tab)
   3. No

 Esc to cancel · Tab to amend
`,
)

export const CLAUDE_BASH_DONE = screen(
  46,
  15,
  2,
  `
 ▐▛███▛█   Claude Code v2.1.332
▝▜██████▀  Opus 5.5 · API Usage Billing
 ▝▝   ▝▝   /home/ada/projects/web-shop


❯ please do it

● Bash(sleep 3; echo made > made.txt)
  ⎿  (No output)

● All done, captain.

✻ Brewed for 9s · done 11:24 PM

──────────────────────────────────────────────
❯
──────────────────────────────────────────────
  ⏸ manual mode on · ? for shortcuts
`,
)

export const CODEX_EDIT = screen(
  46,
  39,
  45,
  `

  >_ OpenAI Codex (v0.171.0)
     /home/ada/projects/web-shop


› please do it


• Added made.txt (+1 -0)
    1 +made
    + Show details














  Would you like to make the following
  edits?

  Description: Apply proposed file edits
  Destination:
  /home/ada/projects/web-shop/made.txt


› 1. Yes, proceed (y)
  2. Yes, and don't ask again for these files
     (a)
  3. No, and tell Codex what to do differently
     (esc)

  Press enter to confirm or esc to cancel
`,
)

export const CODEX_EDIT_80 = screen(
  80,
  23,
  79,
  `

  >_ OpenAI Codex (v0.171.0)
     /home/ada/projects/web-shop


› please do it


• Added made.txt (+1 -0)
    1 +made
    + Show details


  Would you like to make the following edits?

  Description: Apply proposed file edits
  Destination: /home/ada/projects/web-shop/made.txt


› 1. Yes, proceed (y)
  2. Yes, and don't ask again for these files (a)
  3. No, and tell Codex what to do differently (esc)

  Press enter to confirm or esc to cancel
`,
)

export const CODEX_EDIT_DONE = screen(
  46,
  35,
  2,
  `

  >_ OpenAI Codex (v0.171.0)
     /home/ada/projects/web-shop


› please do it


• Added made.txt (+1 -0)
    1 +made
    + Show details

• All done, captain.

  Worked for 4s • 23:24




















› Ask Codex to do anything

  scripted default · /tmp/ct-079fd522/home/
  project · please do it
  ← for agents       ⚠ 1 warning · f2 to view
`,
)
