/** Returns a key of the configuration, such as `ctrl-]`, as people write it. */
export const keyName = (key: string): string =>
  key.replace(/^ctrl-(.)$/, (_, letter: string) => `Ctrl+${letter.toUpperCase()}`)
