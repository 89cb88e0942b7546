import type { Envelope } from '../../contracts/declare/envelope.ts'

/** What SQS does not take and JSON need not escape. It can only occur within strings, where its escape means the same. */
const FOREIGN = /[\uFFFE\uFFFF]/
const ALL_FOREIGN = /[\uFFFE\uFFFF]/g
const acceptable = (json: string) => (FOREIGN.test(json) ? json.replace(ALL_FOREIGN, c => `\\u${c.charCodeAt(0).toString(16)}`) : json)

/**
 * An envelope as the body of a message. Written piece by piece, as this is most of what a command costs the edge: ids, types, keys and times are made here
 * or checked against the contract and need no escaping; what a client wrote gets it.
 */
export const wire = ({ v, id, type, key, by, at, data, ifMatch, ifNoneMatch, claim, reply, trace }: Envelope): string =>
  `{"v":${v},"id":"${id}","type":"${type}","key":${JSON.stringify(key)},"by":"${by}","at":"${at}","data":${acceptable(JSON.stringify(data))}${
    ifMatch === undefined ? '' : `,"ifMatch":${JSON.stringify(ifMatch)}`
  }${ifNoneMatch === undefined ? '' : `,"ifNoneMatch":${JSON.stringify(ifNoneMatch)}`}${claim === undefined ? '' : `,"claim":"${claim}"`}${
    reply === undefined ? '' : `,"reply":{"to":"${reply.to}","until":${reply.until},"durable":${reply.durable}}`
  },"trace":{"request":${JSON.stringify(trace.request)},"cause":${JSON.stringify(trace.cause)},"traceparent":${JSON.stringify(trace.traceparent)}}}`
