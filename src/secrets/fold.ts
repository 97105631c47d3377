/**
 * Names as the hiding rules compare them. A name that a person reads as `.env` must not escape by a capital letter, by
 * the Kelvin sign for a K, or by the form of Unicode that another system stores.
 */

const BEYOND_ASCII = /[^\0-\x7f]/

/** The name without differences of case and of Unicode form. */
export function fold(name: string): string {
  if (!BEYOND_ASCII.test(name)) return name.toLowerCase()
  // Upper case first: it joins letters that lower case keeps apart, such as the long s.
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}
