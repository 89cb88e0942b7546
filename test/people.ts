import type { Client, MeshClient } from '../contracts/client/client.ts'

/** People for tests that use a mesh as its clients do. */

/** A name that tells who it is in what a test prints, and an address that nobody had before. */
const addressOf = (name: string) => `${name.toLowerCase().replaceAll(/[^a-z]/g, '')}-${crypto.randomUUID()}@example.org`

/** Signs a person up and in, through the Cognito protocol. */
const signedUp = async (mesh: MeshClient, name: string): Promise<Client> => {
  const credentials = { email: addressOf(name), password: 'Grind-daily-1' }
  const { confirmed } = await mesh.signUp(credentials)
  if (!confirmed)
    throw new Error(`${name} signed up, but the pool waits for a confirmation: only pools that confirm at once can be played on`)
  return mesh.signIn(credentials)
}

/** A person with a profile. */
export const join = async (mesh: MeshClient, firstName: string, lastName = 'Tester', timeZone = 'UTC'): Promise<Client> => {
  const client = await signedUp(mesh, firstName)
  await client.send('user.replace', { firstName, lastName, timeZone })
  return client
}

export const befriend = async (a: Client, b: Client): Promise<void> => {
  await a.send('friend.request', { userId: b.userId })
  await b.send('friend.accept', { userId: a.userId })
}

/** Every item of a list, over all its pages. */
export const collected = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
