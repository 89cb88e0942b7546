/*
 * As much of PostgreSQL's protocol (version 3) as it takes to stand between clients and a server that is not one: the frames, and the words before the
 * first query. https://www.postgresql.org/docs/18/protocol-message-formats.html
 */

/** A message with its type (a character) and its length. */
export type Frame = { readonly type: string; readonly bytes: Buffer }

/** More than any job; a client that claims to send more is cut off. */
const LONGEST = 64 * 1024 * 1024
const SSL = 80_877_103
const GSS = 80_877_104
const VERSION_3 = 3

/** Cuts whole messages off the beginning. @throws when one is longer than any can be */
export const frames = (bytes: Buffer): { readonly whole: readonly Frame[]; readonly rest: Buffer } => {
  const whole: Frame[] = []
  let at = 0
  while (bytes.length >= at + 5) {
    const length = bytes.readUInt32BE(at + 1) + 1
    if (length < 5 || length > LONGEST) throw new Error(`a message of ${length} bytes`)
    if (bytes.length < at + length) break
    whole.push({ type: String.fromCharCode(bytes.readUInt8(at)), bytes: bytes.subarray(at, at + length) })
    at += length
  }
  return { whole, rest: bytes.subarray(at) }
}

/** The zero-terminated texts that a message holds after its header. */
export const texts = ({ bytes }: Frame): readonly string[] => bytes.toString('utf8', 5).split('\0')

/**
 * A client's first words: `more` is to come, a question (for encryption, which is answered with `N` and followed by another first word), or what it is
 * about: the parameters. `rest` comes after them.
 * @throws for what is neither, as a request to cancel
 */
export const firstWords = (
  bytes: Buffer,
):
  | 'more'
  | { readonly rest: Buffer; readonly asks: true }
  | { readonly rest: Buffer; readonly parameters: ReadonlyMap<string, string> } => {
  if (bytes.length < 8) return 'more'
  const length = bytes.readUInt32BE(0)
  if (length < 8 || length > 10_000) throw new Error(`a first message of ${length} bytes`)
  if (bytes.length < length) return 'more'
  const code = bytes.readUInt32BE(4)
  const rest = bytes.subarray(length)
  if (code === SSL || code === GSS) return { rest, asks: true }
  if (code >>> 16 !== VERSION_3) throw new Error(`a first message of the kind ${code}`)
  const words = bytes.toString('utf8', 8, length).split('\0')
  const parameters = new Map<string, string>()
  for (let i = 0; i + 1 < words.length; i += 2) parameters.set(words[i] ?? '', words[i + 1] ?? '')
  return { rest, parameters }
}

const message = (type: string, ...parts: readonly (string | Buffer)[]): Buffer => {
  const body = Buffer.concat(parts.map(p => (typeof p === 'string' ? Buffer.from(`${p}\0`) : p)))
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A simple query. */
export const query = (sql: string): Buffer => message('Q', sql)
/** Why somebody cannot be served: fatal. */
export const refusal = (text: string): Buffer => message('E', 'SFATAL', 'VFATAL', 'C57P03', `M${text}`, Buffer.alloc(1))
/** That somebody may begin, whoever they are. */
export const welcome = (id: number, version: string): Buffer =>
  Buffer.concat([
    message('R', int(0)),
    message('S', 'server_version', version),
    message('S', 'client_encoding', 'UTF8'),
    message('S', 'DateStyle', 'ISO, MDY'),
    message('S', 'integer_datetimes', 'on'),
    message('S', 'standard_conforming_strings', 'on'),
    message('K', int(id), int(0)),
    message('Z', Buffer.from('I')),
  ])
