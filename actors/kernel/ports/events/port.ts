/** An event on its way to the topic of the actor that emits it; `body` is the EventEnvelope as JSON. */
export type Published = { readonly topic: string; readonly id: string; readonly type: string; readonly body: string }

/** Topics. Names are the actors' names, without the deployment's prefix. */
export type EventBus = {
  /** Resolves when the topics have all of them, rejects if one could not be published. Callers at about the same time share requests. Repeats do no harm. */
  readonly publish: (events: readonly Published[]) => Promise<void>
}
