/** Pictures and files that are pasted or dropped: stored in the box's /tmp, and their paths typed. */
import { isReadonly, notify, notifyError } from '../app.ts'
import { storedKey, upload } from '../connection/sign-in.ts'
import type { Pane } from './pane.ts'

const MOST_BYTES = 20 << 20 // the server takes no more

/** Returns the path as one word of a shell. */
export function quoted(path: string): string {
  return /^[\w./+:@%-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

async function type(pane: Pane, files: readonly File[]): Promise<void> {
  const key = storedKey()
  if (key === undefined || isReadonly.value) return
  for (const file of files) {
    if (file.size > MOST_BYTES) {
      notify(`${file.name} is larger than 20 MiB.`, { kind: 'error', hint: 'use coop cp' })
      continue
    }
    try {
      const path = await upload(key, pane.box, file.name || 'picture.png', file)
      pane.paste(`${quoted(path)} `)
      pane.focus()
    } catch (error) {
      notifyError(error)
    }
  }
}

export function takeFiles(pane: Pane): void {
  const { element } = pane
  element.addEventListener(
    'paste',
    (event) => {
      const files = [...(event.clipboardData?.files ?? [])]
      // Text that was copied from an office program comes with a picture of itself.
      if (!files.length || event.clipboardData?.getData('text/plain')) return
      event.preventDefault()
      event.stopPropagation()
      void type(pane, files)
    },
    true,
  )
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true
  element.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    event.stopPropagation()
    element.classList.add('is-target')
  })
  element.addEventListener('dragleave', () => element.classList.remove('is-target'))
  element.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    event.stopPropagation()
    element.classList.remove('is-target')
    void type(pane, [...(event.dataTransfer?.files ?? [])])
  })
}
