import { expect, test } from 'vitest'
import { createSteps, Interrupted } from './steps.ts'

const never = () => new Promise<never>(() => {})
/** Something that is made when it is told to be. */
const later = () => {
  let make: (value: string) => void = () => {}
  const made = new Promise<string>(resolve => {
    make = resolve
  })
  return { made, make }
}

test('a step that takes too long is named, and what comes of it after all is closed', async () => {
  const steps = createSteps({ withinMs: 20 })
  const { made, make } = later()
  const closed = later()
  await expect(
    steps.takeOnDisk(
      'the edge',
      () => made,
      async what => closed.make(what),
    ),
  ).rejects.toThrow('the edge was not ready within 0.02 s')
  expect(steps.hangs()).toBe(true)
  make('an edge')
  expect(await closed.made).toBe('an edge')
  expect(steps.hangs()).toBe(false)
})

test('a start that is called off ends the steps under way, and begins no more', async () => {
  const control = new AbortController()
  const steps = createSteps({ signal: control.signal })
  const [one, other] = [steps.take('one', never), steps.take('the other', never)]
  control.abort()
  await expect(one).rejects.toThrow(Interrupted)
  await expect(other).rejects.toThrow(Interrupted)
  let begun = false
  await expect(
    steps.take('a third', async () => {
      begun = true
    }),
  ).rejects.toThrow(Interrupted)
  expect(begun).toBe(false)
})

test('a step gives what it makes, or throws what went wrong', async () => {
  const steps = createSteps()
  expect(await steps.take('one', async () => 1)).toBe(1)
  await expect(steps.take('other', () => Promise.reject(new Error('no room')))).rejects.toThrow('no room')
  expect(steps.hangs()).toBe(false)
})
