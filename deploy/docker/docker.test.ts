import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { validate } from 'dockerfile-utils'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../actors/kernel/config/config.ts'
import { metrics } from '../../actors/kernel/process/metrics.ts'
import { mesh } from '../../contracts/mesh.ts'
import { edgeMetrics } from '../../edge/metrics/metrics.ts'
import { composeWrongs, servicesOf } from './compose.ts'

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const text = (path: string) => readFileSync(root(path), 'utf8')
const compose = text('compose.yaml')
const services = servicesOf(compose)
const operationsPort = /OPERATIONS_PORT=(\d+)/.exec(text('Dockerfile'))?.[1]

describe('compose.yaml', () => {
  test('is valid by the schema of the Compose specification, has no holes between profiles, and stays on loopback', () => {
    expect(composeWrongs(compose)).toEqual([])
  })

  test.each([
    ['a key that Compose does not know', 'services: { a: { imagge: x, init: true } }', 'must NOT have additional properties'],
    ['a duration that is none', 'services: { a: { init: true, healthcheck: { interval: soon } } }', 'duration'],
    ['a port for everybody', 'services: { a: { init: true, ports: ["3000:3000"] } }', 'beyond loopback'],
    ['a port for everybody, the long way', 'services: { a: { init: true, ports: [{ target: 3000 }] } }', 'beyond loopback'],
    [
      'a dependency outside of the profile',
      'services: { a: { init: true, profiles: [x, y], depends_on: [b] }, b: { init: true, profiles: [x] } }',
      'with y a starts and b, on which it depends, does not',
    ],
    [
      'a dependency of what always starts on what does not',
      'services: { a: { init: true, depends_on: [b] }, b: { init: true, profiles: [x] } }',
      'with no profile a starts and b',
    ],
    ['a dependency that is not there', 'services: { a: { init: true, depends_on: [b] } }', 'b, which is no service'],
    [
      'a wait for health that nothing checks',
      'services: { a: { init: true, depends_on: { b: { condition: service_healthy } } }, b: { image: x, init: true } }',
      'which nothing checks',
    ],
    ['nobody to reap', 'services: { a: { image: x } }', 'no init'],
  ])('the check refuses %s', (_, file, reason) => {
    expect(composeWrongs(file).join('\n')).toContain(reason)
  })

  test('runs every actor of the mesh, and no other, with settings that the processes take', () => {
    const run = Object.values(services).flatMap(s => (s.command[0] === 'dist/actors/main.js' ? [s.command[1]] : []))
    expect(run.sort()).toEqual(mesh.actors.map(a => a.name).sort())
    const { edge } = services
    const plain = Object.entries({ ...edge?.environment }).filter(([, value]) => !value.startsWith('${'))
    expect(readConfig(Object.fromEntries(plain), mesh)).toMatchObject({
      REDIS_URL: 'redis://redis:6379',
      AWS_ENDPOINT_URL: 'http://aws:4566',
    })
  })

  test('starts what is there: files of the image are built from files of ours', () => {
    const images = Object.values(services).filter(s => s.build !== undefined)
    expect(images.length).toBeGreaterThan(mesh.actors.length)
    for (const { command } of images) {
      const [file = 'dist/edge/main.js'] = command
      expect(existsSync(root(file.replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true)
    }
    for (const mounted of Object.values(services)
      .flatMap(s => s.volumes)
      .filter(v => v.startsWith('./')))
      expect(existsSync(root(mounted.split(':')[0] ?? ''))).toBe(true)
  })

  test('has a Redis that keeps what it is given', () => {
    expect(services.redis?.command.join(' ')).toContain('--appendonly yes')
    expect(services.redis?.command.join(' ')).toContain('--maxmemory-policy noeviction')
  })
})

describe('the Dockerfile', () => {
  test('has no fault that the linter knows', () => {
    expect(validate(text('Dockerfile'))).toEqual([])
    // And the linter can say no.
    expect(validate('FROM node:20\nRUNN npm ci\n')).toHaveLength(1)
  })

  test('ends as another user than root, in exec form, with a health check', () => {
    const lines = text('Dockerfile').split('\n')
    const last = lines.slice(lines.findLastIndex(l => l.startsWith('FROM')))
    expect(last).toContain('USER node')
    expect(last).toContain('STOPSIGNAL SIGTERM')
    expect(last).toContain('ENTRYPOINT ["node"]')
    expect(last).toContain('CMD ["dist/edge/main.js"]')
    expect(last.some(l => l.startsWith('HEALTHCHECK'))).toBe(true)
  })
})

describe('observability', () => {
  test('Prometheus asks every process of ours, at the port that the image has', () => {
    const Scrape = z.object({ scrape_configs: z.array(z.object({ static_configs: z.array(z.object({ targets: z.array(z.string()) })) })) })
    const { scrape_configs } = Scrape.parse(parse(text('deploy/observability/prometheus.yaml')))
    const targets = scrape_configs.flatMap(c => c.static_configs.flatMap(s => s.targets))
    expect(targets.sort()).toEqual(['edge', ...mesh.actors.map(a => a.name)].map(name => `${name}:${operationsPort}`).sort())
  })

  test('the dashboard shows metrics that there are', async () => {
    const registry = new Registry()
    metrics(mesh, registry)
    edgeMetrics(mesh.name, { sockets: () => 0, oldestMs: () => 0, underWay: () => 0 }, registry)
    const known = new Set((await registry.getMetricsAsJSON()).map(m => m.name))
    const shown = new Set(
      text('deploy/observability/dashboards/mesh.json')
        .match(/dailygrind_\w+/g)
        ?.map(m => m.replace(/_bucket$/, '')),
    )
    expect(shown.size).toBeGreaterThan(8)
    expect([...shown].filter(m => !known.has(m))).toEqual([])
  })
})
