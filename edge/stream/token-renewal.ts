import type { Logger } from 'pino'
import { CLOSE } from '../../contracts/frames.ts'
import type { Authenticator } from '../access/auth.ts'
import { problemFrom } from '../request/problems.ts'
import type { Connection } from './connection.ts'

/** Takes the `auth` frames of clients: a fresh token of the same person. */
export const tokenRenewal =
  (auth: Pick<Authenticator, 'verify'>, log: Logger) =>
  async (connection: Connection, token: unknown): Promise<void> => {
    if (typeof token !== 'string') return connection.close(CLOSE.nonsense, 'auth needs a token')
    try {
      const caller = await auth.verify(token)
      if (caller.id !== connection.user) return connection.close(CLOSE.token, 'the token is somebody else’s')
      connection.tokenUntil = caller.until
    } catch (thrown) {
      // When it cannot be verified at the moment, the old token stands until its end.
      const { status } = problemFrom(thrown, err => log.warn({ err }, 'a token could not be verified'))
      if (status === 401) connection.close(CLOSE.token, 'a valid token is needed')
    }
  }
