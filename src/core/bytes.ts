/** Numbers of bytes for people. */

/** `512K`, `1.4M`, `2.0G`. */
export function bytes(size: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = size
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 || value >= 100
    ? `${Math.round(value)}${units[unit]}`
    : `${value.toFixed(1)}${units[unit]}`
}
