import type { Connection } from './connection.ts'

/** The connections that are open at this edge, by their person. */
export const connectionRegistry = () => {
  const byUser = new Map<string, Set<Connection>>()
  let count = 0
  return {
    size: () => count,
    has: (user: string): boolean => byUser.has(user),
    of: (user: string): ReadonlySet<Connection> | undefined => byUser.get(user),
    users: (): Iterable<string> => byUser.keys(),
    all: function* () {
      for (const connections of byUser.values()) yield* connections
    },
    ofUsers: function* (users: readonly string[]) {
      for (const user of users) yield* byUser.get(user) ?? []
    },
    /** @returns whether it is the first of its person */
    add: (connection: Connection): boolean => {
      const others = byUser.get(connection.user)
      count++
      if (others) others.add(connection)
      else byUser.set(connection.user, new Set([connection]))
      return others === undefined
    },
    /** @returns whether it was the last of its person */
    remove: (connection: Connection): boolean => {
      const all = byUser.get(connection.user)
      if (!all?.delete(connection)) return false
      count--
      return all.size === 0 && byUser.delete(connection.user)
    },
  }
}
export type ConnectionRegistry = ReturnType<typeof connectionRegistry>
