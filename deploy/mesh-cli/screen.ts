import type { ReadStream, WriteStream } from 'node:tty'
import type { Line, Look, Size } from './frame.ts'

/** ECMA-48 and xterm's alternate screen: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const TO_LINE_END = '\x1b[K'
const TO_SCREEN_END = '\x1b[J'
const LOOKS: Readonly<Record<Look, string>> = { plain: '', bold: '\x1b[1m', dim: '\x1b[2m', red: '\x1b[31m' }
/** q, Q and Ctrl-C. */
const LEAVING: readonly number[] = [0x71, 0x51, 0x03]
const RESET = '\x1b[0m'

const drawn = ({ text, look }: Line): string => (look === 'plain' ? text : `${LOOKS[look]}${text}${RESET}`)

/**
 * A terminal that is drawn on until its user leaves (q, Ctrl-C) or the process is told to end; then it is as it was before.
 * @param left called once, when the user leaves
 */
export const openScreen = (input: ReadStream, output: WriteStream, left: () => void) => {
  const size = (): Size => ({ columns: output.columns || 80, rows: output.rows || 24 })
  let open = true
  const restore = () => {
    if (!open) return
    open = false
    output.write(LEAVE)
    input.setRawMode(false)
  }
  const leave = () => {
    restore()
    left()
  }
  const key = (bytes: Buffer) => {
    // In raw mode Ctrl-C is a byte and no signal.
    if ([...bytes].some(byte => LEAVING.includes(byte))) leave()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

  input.setRawMode(true)
  input.resume()
  input.on('data', key)
  for (const signal of signals) process.on(signal, leave)
  // Whatever ends the process: a terminal without a cursor is of no use to anybody.
  process.on('exit', restore)
  output.write(ENTER)
  return {
    size,
    draw: (lines: readonly Line[]): void => {
      if (open) output.write(`${HOME}${lines.map(line => `${drawn(line)}${TO_LINE_END}`).join('\r\n')}${TO_SCREEN_END}`)
    },
    close: (): void => {
      restore()
      input.off('data', key)
      input.pause()
      for (const signal of signals) process.off(signal, leave)
      process.off('exit', restore)
    },
  }
}
