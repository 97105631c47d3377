/** What is known of the secrets below a folder of the host. */
import type { Rule } from '../secrets/decide.ts'

/** One file or folder that boxes see empty. Paths are bytes, one character each, relative to the top. */
export interface Hidden {
  readonly path: string
  readonly folder: boolean
  readonly reason: Reason
  /** It lies in a hidden folder. */
  readonly within?: boolean
}

export type Reason =
  | Rule
  /** Another name of a file that is hidden as `path`: a hard link, or the file itself, renamed. */
  | { readonly by: 'same-file'; readonly path: string }
  /** A link with the name of a secret leads here. */
  | { readonly by: 'link'; readonly path: string }

/** Tells apart a file from a later one with the same inode number. */
export interface Identity {
  readonly ino: number
  readonly birth: string
}
