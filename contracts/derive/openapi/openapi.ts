import { mesh } from '../../mesh.ts'
import { schemas } from '../json-schema.ts'
import { ownOperation, ownRoutes } from './edge-operations.ts'
import { answerHeaders, requestHeaders } from './headers.ts'
import { operation } from './operation.ts'
import { signingIn } from './signing-in.ts'

export type Info = { readonly title?: string; readonly version?: string; readonly servers?: readonly string[] }

/**
 * The public API as an OpenAPI 3.1 document, derived from the contract: every route with its data, answers and refusals, and the edge's own.
 * @param info.servers absolute base addresses; without any, clients resolve paths against where they found the document
 */
export const openapi = ({ title = 'Daily Grind', version = '1.0.0', servers = ['/'] }: Info = {}): object => {
  const known = schemas()
  const paths: Record<string, Record<string, object>> = {}
  const add = (path: string, method: string, op: object) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: op }
  }
  for (const route of mesh.routes) add(route.path, route.method, operation(route, known))
  for (const own of ownRoutes) add(own.path, own.method, ownOperation(own, known))
  return {
    openapi: '3.1.0',
    info: {
      title,
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'A daily-post social network. Writes become messages: the answer waits for the actor, or is a `202` with an operation. ' +
        'Lengths count code points after trimming; `me` stands for the caller wherever `{userId}` stands; unknown properties are ignored.',
    },
    servers: servers.map(url => ({ url })),
    security: [{ token: [] }],
    tags: [...mesh.actors.map(a => ({ name: a.name })), { name: 'edge', description: 'What the edge answers itself' }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => a.localeCompare(b))),
    components: {
      schemas: known.components,
      headers: answerHeaders,
      parameters: requestHeaders,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: `A Cognito access or ID token.\n\n${signingIn()}` },
      },
    },
  }
}
