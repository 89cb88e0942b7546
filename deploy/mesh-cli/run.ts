import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { dead } from './dead.ts'
import { HELP, Refused, readFlags } from './flags.ts'
import { type OpenMesh, openMesh } from './open.ts'
import { redrive } from './redrive.ts'
import { show } from './show.ts'
import { status } from './status.ts'
import { trace } from './trace.ts'
import { watch } from './watch.ts'

export type Out = { readonly say: (line: string) => void; readonly complain: (line: string) => void }

/** Does what the arguments ask. @returns the exit code: 0, 1 when something is wrong, 2 when it could not be found out */
export const run = async (args: readonly string[], { say, complain }: Out): Promise<number> => {
  try {
    const flags = readFlags(args)
    const { subject = '', where } = flags
    if (flags.command === 'help') {
      say(HELP)
      return 0
    }
    const mesh = await openMesh(where)
    // It opens and closes meshes itself, as they come and go.
    if (flags.command === 'watch') return await watch(mesh, () => openMesh(where))
    try {
      return await carryOut(mesh, { ...flags, command: flags.command, subject }, say)
    } finally {
      await mesh.close()
    }
  } catch (error) {
    complain(errorMessage(error))
    if (error instanceof Refused) complain('--help shows what there is.')
    return 2
  }
}

type Asked = {
  readonly command: 'status' | 'trace' | 'dead' | 'show' | 'redrive'
  readonly subject: string
  readonly dryRun: boolean
  readonly all: boolean
}

const carryOut = (mesh: OpenMesh, asked: Asked, say: Out['say']): Promise<number> => {
  const { command, subject } = asked
  switch (command) {
    case 'status':
      return status(mesh, say)
    case 'trace':
      return trace(mesh, subject, say)
    case 'dead':
      return dead(mesh, subject === '' ? undefined : subject, say)
    case 'show':
      return show(mesh, subject, say)
    case 'redrive':
      return redrive(mesh, subject, asked, say)
  }
}
