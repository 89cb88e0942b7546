import { Gauge, type Registry } from 'prom-client'
import type { Mesh } from '../../../../contracts/derive/mesh.ts'
import type { Backplane } from './port.ts'

/** What a process shows of its backplane, read when the metrics are. */
export const backplaneMetrics = (mesh: Pick<Mesh, 'name'>, health: Backplane['health'], registry: Registry): void => {
  const gauge = (name: string, help: string, read: () => boolean) =>
    new Gauge({
      name: `${mesh.name}_backplane_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(Number(read()))
      },
    })
  gauge('reachable', '1 while replies and live events come through', () => health().reachable)
  gauge('writes_refused', '1 while the backplane answers and yet takes no writes: it is full, a replica, or cannot save', () => {
    const { ok, reachable } = health()
    return reachable && !ok
  })
}
