import { createServer } from 'node:net'

/** A port that is free now, for what takes no port 0; another process may have it a moment later. */
export const freePort = (host = '127.0.0.1'): Promise<number> =>
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
