/** Icons: strokes on a grid of 16, in the colour of the text. They say nothing to screen readers; their button does. */

const PATHS = {
  agent: 'M8 1.8v2M3.5 5.8h9v7h-9zM6 8.6v1.2M10 8.6v1.2M1.8 8.5v2M14.2 8.5v2',
  terminal: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10h3',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  more: 'M3.4 8h.2M7.9 8h.2M12.4 8h.2',
  search: 'M7 2.8a4.2 4.2 0 100 8.4 4.2 4.2 0 000-8.4zM10.2 10.2l3.3 3.3',
  splitRight: 'M2 3h12v10H2zM8.5 3v10',
  splitDown: 'M2 3h12v10H2zM2 8.5h12',
  settings:
    'M2.5 5h6.2M12.3 5h1.2M2.5 11h1.2M7.3 11h6.2M10.5 3.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6zM5.5 9.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6z',
  keyboard: 'M1.8 4.2h12.4v7.6H1.8zM4.3 6.7h.01M6.8 6.7h.01M9.2 6.7h.01M11.7 6.7h.01M5 9.4h6',
  folder: 'M2 4.2c0-.5.4-.9.9-.9h3l1.5 1.6h5.7c.5 0 .9.4.9.9v6c0 .5-.4.9-.9.9H2.9a.9.9 0 01-.9-.9z',
  up: 'M8 12.5v-9M4.2 7.3L8 3.5l3.8 3.8',
  down: 'M8 3.5v9M4.2 8.7L8 12.5l3.8-3.8',
  back: 'M10 3.5L5.5 8l4.5 4.5',
  chevron: 'M6 3.5L10.5 8 6 12.5',
  check: 'M3 8.5l3.3 3.3L13 4.8',
  clock: 'M8 2.3a5.7 5.7 0 100 11.4A5.7 5.7 0 008 2.3zM8 5v3.2l2.1 1.3',
  people:
    'M6 7.4a2.3 2.3 0 100-4.6 2.3 2.3 0 000 4.6zM1.8 13c.3-2.3 2-3.6 4.2-3.6s3.9 1.3 4.2 3.6M10.6 3a2.2 2.2 0 010 4.2M11.8 9.7c1.3.5 2.1 1.6 2.4 3.3',
  globe:
    'M8 2.3a5.7 5.7 0 100 11.4A5.7 5.7 0 008 2.3zM2.3 8h11.4M8 2.3c2 1.6 2.6 3.6 2.6 5.7S10 12.1 8 13.7C6 12.1 5.4 10.1 5.4 8S6 3.9 8 2.3z',
  info: 'M8 2.3a5.7 5.7 0 100 11.4A5.7 5.7 0 008 2.3zM8 7.3v3.5M8 5.2h.01',
  leave: 'M6.5 2.8H3.2v10.4h3.3M10 5l3 3-3 3M13 8H6.3',
  offline:
    'M2 2l12 12M4.2 8.9a5.6 5.6 0 012.6-1.4M11.8 8.9a5.6 5.6 0 00-1.2-.8M6.4 11.2a2.6 2.6 0 013.2 0M1.9 6.5a9 9 0 012.5-1.6M14.1 6.5A9 9 0 007 4',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
