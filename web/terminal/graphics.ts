/** WebGL draws faster where a graphics card does it. Software that imitates one parses at a tenth of the speed. */
import type { Terminal } from '@xterm/xterm'

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i

let isHardware: boolean | undefined

function hasGraphicsCard(): boolean {
  const context = document.createElement('canvas').getContext('webgl2')
  if (!context) return false
  const names = context.getExtension('WEBGL_debug_renderer_info')
  const renderer = String(context.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER))
  context.getExtension('WEBGL_lose_context')?.loseContext()
  return renderer !== '' && !SOFTWARE.test(renderer)
}

/** Lets the graphics card draw a terminal that is open, if there is one. */
export async function useGraphicsCard(terminal: Terminal): Promise<void> {
  isHardware ??= hasGraphicsCard()
  if (!isHardware) return
  const { WebglAddon } = await import('@xterm/addon-webgl')
  if (!terminal.element) return // disposed meanwhile
  const addon = new WebglAddon()
  addon.onContextLoss(() => {
    terminal.options.cursorBlink = false
    addon.dispose() // the usual renderer takes over
  })
  terminal.loadAddon(addon)
  // The usual renderer blinks by an animation of CSS, for which the browser draws 60 frames a second. A key waits for the
  // next of them: 28 ms until it is shown instead of 14.
  terminal.options.cursorBlink = !matchMedia('(prefers-reduced-motion: reduce)').matches
}
