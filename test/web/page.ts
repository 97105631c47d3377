/** The page of `coop serve`, as a person uses it: boxes, terminals, keys. */
import type { Locator, Page } from 'playwright-core'
import type { Served } from '../harness/web.ts'
import type { Visitor } from './browser.ts'
import { type Picture, pictureOf } from './screen.ts'

/** Opens the address that `coop serve` prints. */
export async function signIn({ page }: Visitor, { url }: Pick<Served, 'url'>): Promise<void> {
  await page.goto(url)
  await page.locator('.aside').waitFor({ state: 'attached' })
}

/** Goes to the terminal of a box by its address, as a link of a notification does. */
export async function openBox({ page }: Visitor, box: string, pty = 0): Promise<Shown> {
  await page.evaluate(`location.hash = '#box=${box}${pty ? `&pty=${pty}` : ''}'`)
  const shown = new Shown(page)
  await shown.rows.waitFor()
  return shown
}

/** The terminal that a person looks at. */
export class Shown {
  readonly page: Page
  readonly root: Locator

  constructor(page: Page, root = page.locator('.pane:visible').first()) {
    this.page = page
    this.root = root
  }

  get rows(): Locator {
    return this.root.locator('.xterm-rows')
  }

  /** Waits until the terminal shows a text in one row. */
  async shows(text: string | RegExp, timeoutMs = 15_000): Promise<void> {
    const row = this.rows.locator(':scope > div', { hasText: text })
    await row.first().waitFor({ timeout: timeoutMs })
  }

  async text(): Promise<string> {
    const rows: string[] = await this.rows.locator(':scope > div').allTextContents()
    return rows
      .map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd()
  }

  picture(): Promise<Picture> {
    return pictureOf(this.rows)
  }

  async focus(): Promise<void> {
    await this.root.locator('.xterm-helper-textarea').focus()
  }

  /** Types as on a keyboard. `\n` is Enter. */
  async type(text: string): Promise<void> {
    await this.focus()
    await this.page.keyboard.type(text)
  }
}
