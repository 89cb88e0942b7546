/** Who listens to which channel. */
export type Channels<Listener> = {
  /** How many channels the listener now has. */
  add(listener: Listener, channel: string): number
  remove(listener: Listener, channel: string): number
  of(listener: Listener): string[]
  count(listener: Listener): number
  listeners(channel: string): ReadonlySet<Listener>
}

export function createChannels<Listener>(): Channels<Listener> {
  const byChannel = new Map<string, Set<Listener>>()
  const byListener = new Map<Listener, Set<string>>()
  const nobody: ReadonlySet<Listener> = new Set()

  return {
    add(listener, channel) {
      const listeners = byChannel.get(channel) ?? new Set()
      byChannel.set(channel, listeners.add(listener))
      const channels = byListener.get(listener) ?? new Set()
      byListener.set(listener, channels.add(channel))
      return channels.size
    },
    remove(listener, channel) {
      const listeners = byChannel.get(channel)
      listeners?.delete(listener)
      // A channel a reply: kept empty ones would add up.
      if (listeners?.size === 0) byChannel.delete(channel)
      const channels = byListener.get(listener)
      channels?.delete(channel)
      if (channels?.size === 0) byListener.delete(listener)
      return channels?.size ?? 0
    },
    of: listener => [...(byListener.get(listener) ?? [])],
    count: listener => byListener.get(listener)?.size ?? 0,
    listeners: channel => byChannel.get(channel) ?? nobody,
  }
}
