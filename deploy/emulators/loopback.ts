import { createServer } from 'node:net'

/** Whether an address to listen on is reached from this machine only. */
export const loopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

/**
 * Checks that a port is free before anything starts: the edge's sockets share their ports, so a second edge would start and take half of the requests.
 * @throws an error naming the port when it is taken
 */
export const requireFree = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' ? new Error(`port ${port} of ${host} is in use: end what uses it, or take another with --port`) : error,
      ),
    )
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
