/** What a supervising parent says to a process of the mesh, over the channel that it was forked with. */
export type FromParent =
  /** Begin, with these values over the environment's own. Comes once. */
  | { readonly kind: 'start'; readonly environment: Readonly<Record<string, string>> }
  /** The processes that need this one; those that other processes need outlive them when the parent dies. */
  | { readonly kind: 'peers'; readonly pids: readonly number[] }
  /** Finish what is under way and end. */
  | { readonly kind: 'stop' }

/** What it answers. */
export type FromProcess =
  /** It serves; `info` is what others may know of it: addresses, mostly. */
  | { readonly kind: 'ready'; readonly info: Readonly<Record<string, string>> }
  /** It cannot start, and ends. */
  | { readonly kind: 'failed'; readonly message: string }
