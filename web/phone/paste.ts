/** Pastes into the terminal that is shown. Only a person's tap reads the clipboard. */
import { terminal } from '../app.ts'
import { typing } from './typed-keys.ts'

export function pasteText(text: string): void {
  typing.release()
  if (text) terminal.value?.paste(text)
}

/** Browsers read the clipboard on safe connections only, and when the person lets them; a field takes a paste always. */
export async function paste(): Promise<void> {
  try {
    pasteText(await navigator.clipboard.readText())
  } catch {
    const [{ openDialog }, { PasteDialog }] = await Promise.all([
      import('../ui/dialog.tsx'),
      import('./paste-dialog.tsx'),
    ])
    openDialog(PasteDialog)
  }
}
