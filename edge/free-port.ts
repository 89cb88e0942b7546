import { createServer } from 'node:net'

/**
 * A port that is free now. uWebSockets binds a port of the system's own choosing without SO_REUSEADDR: a successor of a process that was killed with
 * connections open could not have its port for a minute. So the port is chosen here and asked for by number.
 */
export const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error(`no port of ${host} is free`)),
      )
    })
  })
