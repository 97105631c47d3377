/** Previews of the ports of boxes. Loaded after the first screen. */
import { slots } from '../app.ts'
import { PortsMenu } from './menu.tsx'
import { keepPorts } from './ports.ts'

export function startPreviews(): void {
  keepPorts()
  slots.boxBar.value = PortsMenu
}
