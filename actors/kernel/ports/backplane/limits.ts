/**
 * How long a small reply stays for the edge that waits and did not hear it: longer than the longest wait. Whoever was told an operation id finds the
 * reply in the store, so nobody asks here later.
 */
export const REPLY_SECONDS = 30
/** Bytes of JSON of a reply that may stay on the backplane; a larger one is kept as an operation row with the work that it tells of. */
export const MAX_REPLY_BYTES = 4_096
/** How long a trace stays for its reader, from its first span on, and how many spans it holds. */
export const TRACE_SECONDS = 600
export const MAX_SPANS = 200
/** An edge that dies is forgotten after this; one that lives says so three times in it. */
export const PRESENCE_SECONDS = 90
export const REFRESH_MS = 30_000
