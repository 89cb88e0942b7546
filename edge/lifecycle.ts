import type { Phase } from './http/health.ts'

/** How far an edge has come, and where its clients find it. @param host until it listens */
export const lifecycle = (host: string) => {
  let phase: Phase = 'starting'
  let at = host
  return {
    phase: (): Phase => phase,
    host: (): string => at,
    serve: (listening: string): void => {
      at = listening
      phase = 'serving'
    },
    drain: (): void => {
      phase = 'draining'
    },
  }
}
export type Lifecycle = ReturnType<typeof lifecycle>
