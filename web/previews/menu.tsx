/** In the bar of the box: its ports, each of which opens in a tab of its own. */
import { boxName, connection, isNarrow, isReadonly } from '../app.ts'
import { attempt } from '../boxes/actions.ts'
import { Icon } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'
import { type Ports, ports } from './ports.ts'

/** WebKit asks the system for names below `localhost`, which mostly knows none. */
const findsNoNames = (): boolean => navigator.vendor.startsWith('Apple')

async function open(port: number): Promise<void> {
  const [name, link] = [boxName.peek(), connection.peek()]
  if (name === undefined || !link) return
  const plain = findsNoNames() ? { plain: true } : {}
  const opened = await attempt(() => link.call('preview.open', { box: name, port, ...plain }))
  // Not in a frame of this page: a frame could take the keyboard's focus from a terminal.
  if (opened) window.open(opened.url, '_blank', 'noopener,noreferrer')
}

/** What the button says. */
export function summary(found: Ports, isShort: boolean): string {
  const [first] = found
  if (first && found.length === 1) return `:${first.port}`
  return isShort ? String(found.length) : `${found.length} ports`
}

export function PortsMenu() {
  const found = ports.value
  if (!found.length || isReadonly.value) return null
  const items = found.map(({ port, process }) => ({
    label: process === undefined ? `Port ${port}` : `Port ${port}, ${process}`,
    run: () => void open(port),
  }))
  return (
    <Menu label="Ports of the box" items={items} class="button plain ports">
      <Icon name="globe" />
      {summary(found, isNarrow.value)}
    </Menu>
  )
}
