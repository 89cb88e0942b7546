import type { AnyActor, AnyCommand, AnyQuery } from '../declare/messages.ts'

/** An HTTP route. `path` is split at `/`; a segment `{name}` is a parameter, `me` as a segment stands for the caller. */
export type Route = {
  readonly method: string
  readonly path: string
  readonly type: string
  readonly actor: AnyActor
  readonly spec: AnyCommand | AnyQuery
}

const routeOf = (actor: AnyActor, type: string, spec: AnyCommand | AnyQuery): Route[] => {
  const [method, path] = spec.http?.split(' ') ?? []
  return method && path ? [{ method, path, type, actor, spec }] : []
}

/** The routes of the actors: a route a command that clients may send, and a route a query. */
export const routesOf = (actors: readonly AnyActor[]): readonly Route[] =>
  actors.flatMap(actor => [
    ...Object.entries(actor.commands).flatMap(([type, command]) => routeOf(actor, type, command)),
    ...Object.entries(actor.queries).flatMap(([type, query]) => routeOf(actor, type, query)),
  ])
