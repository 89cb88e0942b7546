import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'

/** Where the mesh's lines go: for eyes on a terminal, as JSON elsewhere. */
export const output = (terminal: boolean): DestinationStream =>
  terminal
    ? PinoPretty({ colorize: true, sync: true, translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true })
    : destination({ dest: 1, sync: true })

export const logger = (name: string, level: string, to: DestinationStream): Logger => pino({ base: { name, pid: process.pid }, level }, to)

/**
 * Passes on a line of a child: its log lines as they are, they carry its name; anything else (a crash, a library that prints) as a warning.
 */
export const passLine =
  (to: DestinationStream, log: Logger) =>
  (name: string, line: string): void => {
    if (line.startsWith('{"level":')) to.write(`${line}\n`)
    else if (line.trim() !== '') log.child({ from: name }).warn(line)
  }
