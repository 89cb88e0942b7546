import { schemas } from '../json-schema.ts'
import type { Mesh } from '../mesh.ts'
import { ownOperation, ownRoutes } from './edge-operations.ts'
import { answerHeaders, requestHeaders } from './headers.ts'
import { operation } from './operation.ts'
import { signingInText } from './signing-in.ts'

export type Info = {
  readonly title?: string
  readonly version?: string
  readonly servers?: readonly string[]
  /** The subprotocol of the mesh's stream. */
  readonly subprotocol?: string
}

/**
 * The public API of a mesh as an OpenAPI 3.1 document: every route with its data, answers and refusals, and the edge's own.
 * @param info.servers absolute base addresses; without any, clients resolve paths against where they found the document
 */
export const openapi = (mesh: Mesh, { title = mesh.title, version = '1.0.0', servers = ['/'], subprotocol }: Info = {}): object => {
  const known = schemas()
  const paths: Record<string, Record<string, object>> = {}
  const add = (path: string, method: string, op: object) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: op }
  }
  for (const route of mesh.routes) add(route.path, route.method, operation(mesh, route, known))
  for (const own of ownRoutes(mesh, subprotocol)) add(own.path, own.method, ownOperation(mesh, own, known))
  return {
    openapi: '3.1.0',
    info: {
      title,
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        `${mesh.summary} Writes become messages: the answer waits for the actor, or is a \`202\` with an operation. `.trimStart() +
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
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `A Cognito access or ID token.\n\n${signingInText(mesh)}`,
        },
      },
    },
  }
}
