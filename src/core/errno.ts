/** The errno name, such as `ENOENT`, of an exception of a system call or of node:fs; undefined without one. */
export const errnoOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code
