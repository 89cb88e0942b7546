import { request } from 'node:http'

/** Asks a port of this machine with whatever headers, `host` among them, which fetch does not let a caller choose. @returns the status */
export const askAs = (
  port: string,
  headers: Readonly<Record<string, string>>,
  body = '',
  method?: string,
  path?: string,
): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = method ?? (body === '' ? 'GET' : 'POST')
    const sent = request({ host: '127.0.0.1', port, method: asked, path: path ?? (body === '' ? '/health' : '/'), headers }, answer => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.once('error', reject).end(body)
  })
