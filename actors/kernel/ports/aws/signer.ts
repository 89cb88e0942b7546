import { createHash, createHmac } from 'node:crypto'

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
type Request = {
  readonly method: string
  readonly path: string
  headers: Record<string, string>
  readonly body?: string | Uint8Array
}
type SigningOptions = { readonly signingDate?: Date | string | number; readonly signingRegion?: string; readonly signingService?: string }

/** What the way to the engine may change is not signed. */
const UNSIGNED = new Set([
  'authorization',
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amzn-trace-id',
])

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer, data: string) => createHmac('sha256', key).update(data).digest()

/**
 * AWS Signature Version 4 for requests without a query string (DynamoDB, SQS, SNS):
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * The SDK's own builds a signer and hashes the secret for each request; this one keeps the derived key as long as credentials and day stay the same.
 * The request itself gets the headers, so a further try replaces those of the one before.
 */
export const signer = (service: string, region: string, credentials: () => Promise<Credentials>) => {
  let kept: { scope: string; secret: string; key: Buffer } | undefined
  const keyFor = (secret: string, scope: string): Buffer => {
    if (kept?.scope === scope && kept.secret === secret) return kept.key
    const key = scope.split('/').reduce(hmac, Buffer.from(`AWS4${secret}`))
    kept = { scope, secret, key }
    return key
  }

  return {
    sign: async <R extends Request>(request: R, { signingDate, signingRegion, signingService }: SigningOptions = {}): Promise<R> => {
      const { accessKeyId, secretAccessKey, sessionToken } = await credentials()
      const { headers } = request
      const time = new Date(signingDate ?? Date.now()).toISOString().replace(/[-:]|\.\d{3}/g, '')
      const scope = `${time.slice(0, 8)}/${signingRegion ?? region}/${signingService ?? service}/aws4_request`
      headers['x-amz-date'] = time
      // A try after the credentials changed must not carry the token of the old ones.
      delete headers['x-amz-security-token']
      if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken

      const signed = Object.keys(headers)
        .map(name => ({ name: name.toLowerCase(), value: String(headers[name]).trim().replace(/\s+/g, ' ') }))
        .filter(({ name }) => !UNSIGNED.has(name))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const names = signed.map(({ name }) => name).join(';')
      const lines = signed.map(({ name, value }) => `${name}:${value}\n`).join('')
      const canonical = `${request.method}\n${request.path}\n\n${lines}\n${names}\n${sha256(request.body ?? '')}`
      const signature = hmac(keyFor(secretAccessKey, scope), `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex')
      headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
      return request
    },
  }
}
