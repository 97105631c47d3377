/** The name of the kernel's error, `ENOENT` and the like, in what a system call or node:fs threw; undefined without one. */
export const errnoOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code
