import { startMesh } from '../../deploy/embedded/mesh.ts'
import { readMeshFile } from '../../deploy/embedded/mesh-file.ts'
import type { MeshProcess } from '../../deploy/embedded/running.ts'
import { type PushService, startPushService } from '../push-service.ts'

export type StageOptions = { readonly url?: string; readonly data?: string; readonly operations?: string; readonly processes: boolean }

/** A mesh to play on: a given one, or one of our own that keeps nothing. */
export type Stage = {
  readonly url: string
  /** Where traces are; undefined for a mesh of which only the address is known. */
  readonly operations: string | undefined
  /** A push service that the mesh may call; undefined for a mesh that was told of none. */
  readonly pushes: PushService | undefined
  readonly processes: () => Promise<readonly MeshProcess[]>
  /** The last lines that our own mesh logged. */
  readonly log: () => readonly string[]
  readonly close: () => Promise<void>
}

const KEPT_LINES = 40

export const openStage = async ({ url, data, operations, processes }: StageOptions): Promise<Stage> => {
  if (url === undefined && data === undefined) return own(processes)
  const file = data === undefined ? undefined : await readMeshFile(data)
  if (data !== undefined && file === undefined) throw new Error(`${data} holds no mesh.json: no mesh runs there`)
  const address = url ?? file?.url
  if (address === undefined) throw new Error('no address of a mesh')
  return {
    url: address,
    operations: operations ?? file?.operations,
    pushes: undefined,
    processes: async () => (data === undefined ? [] : ((await readMeshFile(data))?.processes ?? [])),
    log: () => [],
    close: async () => undefined,
  }
}

const own = async (processes: boolean): Promise<Stage> => {
  const lines: string[] = []
  const logTo = {
    write: (line: string) => {
      lines.push(line.trimEnd())
      if (lines.length > KEPT_LINES) lines.shift()
    },
  }
  const pushes = await startPushService()
  const mesh = await startMesh({ port: 0, processes, settings: { LOG_LEVEL: 'warn', PUSH_ALLOW_ORIGINS: pushes.origin }, logTo }).catch(
    async error => {
      await pushes.close()
      throw error
    },
  )
  return {
    url: mesh.url,
    operations: mesh.operations,
    pushes,
    processes: async () => mesh.pids(),
    log: () => lines,
    close: async () => {
      await mesh.stop()
      await pushes.close()
    },
  }
}
