/** Begins a message of the daemon as a sentence. Its errors are written to follow "coop: ". Pure. */
export const sentence = (text: string): string =>
  /^\p{Ll}/u.test(text) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text
