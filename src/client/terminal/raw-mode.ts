import { getModes, rawModes, setModes } from '../../../ffi/terminal.ts'

/**
 * Switches the terminal to raw mode now, so that nothing typed later is echoed. Returns a function that restores it.
 */
export function enterRaw(): () => void {
  const modes = getModes(0)
  if (!modes) return () => {}
  setModes(0, rawModes(modes))
  let restored = false
  const restore = (): void => {
    if (restored) return
    restored = true
    process.off('exit', restore)
    setModes(0, modes)
  }
  process.on('exit', restore)
  return restore
}
