// A thread does not inherit the loader of the process: from source it registers it for itself.
import { register } from 'tsx/esm/api'

register()
await import('./thread.ts')
