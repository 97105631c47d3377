declare const COOP_VERSION: string

/** The version of this executable; the build sets it. */
export const VERSION: string = typeof COOP_VERSION === 'string' ? COOP_VERSION : '0.0.0-source'
