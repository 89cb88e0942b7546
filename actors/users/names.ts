import { isDeepStrictEqual } from 'node:util'
import type { Write } from '../../contracts/declare/records.ts'
import { type LiveUser, nameEntry } from '../../contracts/users.ts'
import { FOLDING, formsOf, headOf } from './folding.ts'

const formsNow = (user: LiveUser) => ({ folding: FOLDING, forms: [...formsOf(user.profile)] })

/** Whether search finds a person by the name that they have. */
export const isIndexed = (user: LiveUser): boolean => isDeepStrictEqual(user.names, formsNow(user))

/**
 * A person with the rows that search finds them by: a row a form, at most four writes a rename. Which rows there are is kept beside the profile, so that
 * those of an older folding go, too.
 */
export const indexed = (user: LiveUser): { state: LiveUser; writes: readonly Write[] } => {
  if (isIndexed(user)) return { state: user, writes: [] }
  const { userId } = user
  const names = formsNow(user)
  const before = user.names?.forms ?? []
  const gone = before.filter(form => !names.forms.includes(form))
  const come = names.forms.filter(form => !before.includes(form))
  return {
    state: { ...user, names },
    writes: [
      ...gone.map(form => nameEntry.remove({ head: headOf(form), form, userId })),
      ...come.map(form => nameEntry.put({ head: headOf(form), form, userId })),
    ],
  }
}

/** Whether a form is the one under which a search shows a person: who is found by several is shown once. */
export const isShownUnder = (form: string, { names }: LiveUser, prefix: string): boolean =>
  names?.forms.filter(f => f.startsWith(prefix)).sort()[0] === form
