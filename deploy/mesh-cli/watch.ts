import { setTimeout as wait } from 'node:timers/promises'
import type { ReadStream, WriteStream } from 'node:tty'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { frame, type Line, lineOf } from './frame.ts'
import type { OpenMesh } from './open.ts'
import { type Sample, sample } from './sample.ts'
import { openScreen } from './screen.ts'
import { type View, view } from './view.ts'

const EVERY_MS = 1_000

type Watching = {
  /** The mesh that is there now; also after one has ended and another was started in its place. */
  readonly open: () => Promise<OpenMesh>
  /** Told each view, with the mesh's title. */
  readonly shown: (title: string, view: View) => void
  /** Told what keeps the mesh from being looked at. */
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
}

/** Looks at a mesh every second until told to end; a mesh that ends and comes again is found again. */
const observe = async (mesh: OpenMesh, { open, shown, failed, signal }: Watching): Promise<void> => {
  let now: OpenMesh | undefined = mesh
  let before: Sample | undefined
  while (!signal.aborted) {
    try {
      now ??= await open()
      const after = await sample(now)
      if (before) shown(now.title, view(before, after))
      before = after
      if (after.processes === undefined) {
        shown(now.title, view(after, after))
        await now.close()
        now = undefined
        before = undefined
      }
    } catch (error) {
      failed(error)
    }
    await wait(EVERY_MS, undefined, { signal }).catch(() => {})
  }
  await now?.close()
}

/** The live view: on a terminal a screen of its own, elsewhere a line a second. Ends with the user, or with a reader that goes. */
export const watch = async (mesh: OpenMesh, open: () => Promise<OpenMesh>): Promise<number> => {
  const { stdin, stdout } = process
  const ended = new AbortController()
  if (stdin.isTTY && stdout.isTTY) await onScreen(stdin, stdout, mesh, open, ended)
  else {
    // The reader of a pipe goes when it has seen enough.
    stdout.on('error', () => ended.abort())
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
    const say = (line: string) => void stdout.write(`${line}\n`)
    say(mesh.title)
    await observe(mesh, { open, shown: (_, v) => say(lineOf(v)), failed: error => say(`! ${text(error)}`), signal: ended.signal })
  }
  return 0
}

const onScreen = async (
  input: ReadStream,
  output: WriteStream,
  mesh: OpenMesh,
  open: () => Promise<OpenMesh>,
  ended: AbortController,
): Promise<void> => {
  const screen = openScreen(input, output, () => ended.abort())
  let redraw = () => screen.draw([{ text: `${mesh.title}: looking …`, look: 'dim' }])
  const show = (next: () => void) => {
    redraw = next
    redraw()
  }
  const resized = () => redraw()
  output.on('resize', resized)
  try {
    redraw()
    await observe(mesh, {
      open,
      shown: (title, v) => show(() => screen.draw(frame(title, v, screen.size()))),
      failed: error => show(() => screen.draw(apology(error, screen.size().columns))),
      signal: ended.signal,
    })
  } finally {
    output.off('resize', resized)
    screen.close()
  }
}

/** What is shown instead of a mesh that cannot be looked at, in lines as wide as the screen. */
const apology = (error: unknown, columns: number): readonly Line[] => {
  const message = text(error)
  const lines = Array.from({ length: Math.ceil(message.length / columns) }, (_, i) => message.slice(i * columns, (i + 1) * columns))
  return [...lines.map(line => ({ text: line, look: 'red' as const })), { text: 'Looking again every second; q leaves.', look: 'dim' }]
}

const text = (error: unknown): string => errorMessage(error)
