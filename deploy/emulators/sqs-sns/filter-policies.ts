import { isFields } from './app.ts'
import { parsed } from './queue-refusals.ts'

/** https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html */
const MAX_KEYS = 5
const SCOPES = ['MessageAttributes', 'MessageBody']

/** Why SNS refuses an attribute of a subscription; undefined where it does not, and for other attributes. */
export function whySubscriptionRefused(name: string, value: string): string | undefined {
  if (name === 'FilterPolicyScope' && !SCOPES.includes(value))
    return `FilterPolicyScope: Invalid value [${value}]. Please use either MessageBody or MessageAttributes`
  if (name !== 'FilterPolicy' || value === '') return undefined
  const policy = parsed(value)
  if (policy === undefined) return 'FilterPolicy: failed to parse JSON.'
  const rules = Object.entries(policy)
  if (rules.length > MAX_KEYS) return `FilterPolicy: Filter policy can not have more than ${MAX_KEYS} keys`
  for (const [key, rule] of rules) {
    if (!Array.isArray(rule) && !isFields(rule)) return `FilterPolicy: "${key}" must be an object or an array`
    if (Array.isArray(rule) && rule.length === 0) return 'FilterPolicy: Empty arrays are not allowed'
  }
  return undefined
}
