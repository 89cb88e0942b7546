/** How long a reply waits for an edge that asks, and a trace for its reader. */
export const REPLY_SECONDS = 3_600
export const TRACE_SECONDS = 600
/** An edge that dies is forgotten after this; one that lives says so three times in it. */
export const PRESENCE_SECONDS = 90
export const REFRESH_MS = 30_000
