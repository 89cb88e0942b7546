/**
 * The parts of dynalite 4.0.0 that the embedded DynamoDB stands on. The package is plain CommonJS without types; these are read off its source, no wider than what is used.
 * Requests and answers are DynamoDB's JSON. A request has passed dynalite's own type check before it is given this type, that is why fields are typed and not `unknown`.
 */
declare module 'dynalite/db/index.js' {
  export type AttributeValue = Record<string, unknown>
  export type Item = Record<string, AttributeValue>
  export interface KeySchemaElement {
    AttributeName: string
  }
  export interface Table {
    TableName: string
    TableStatus: string
    KeySchema: KeySchemaElement[]
    GlobalSecondaryIndexes?: { IndexName: string; IndexStatus: string }[]
    LocalSecondaryIndexes?: { IndexName: string }[]
  }
  export interface Capacity {
    TableName: string
    CapacityUnits: number
  }
  export interface Request {
    TableName: string
    Key?: Item
    Item?: Item
    ExclusiveStartKey?: Item
    IndexName?: string
    ReturnConsumedCapacity?: 'INDEXES' | 'TOTAL' | 'NONE' | undefined
    ConsistentRead?: boolean
    ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE'
    ExpressionAttributeValues?: Item
    ClientRequestToken?: string
    TransactItems?: TransactItem[]
    RequestItems?: Record<string, { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]>
    TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean }
    PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled: boolean }
  }
  export interface TransactItem {
    Put?: Request
    Update?: Request
    Delete?: Request
    ConditionCheck?: Request
    Get?: Request
  }
  export interface Answer {
    Item?: Item
    ConsumedCapacity?: Capacity | Capacity[] | undefined
    [field: string]: unknown
  }
  /** An error that is an answer: dynalite's own, and ours (errors.ts). */
  export interface Refusal extends Error {
    statusCode: number
    body: Record<string, unknown>
  }

  export type LevelWrite = { type: 'put'; key: string; value: unknown } | { type: 'del'; key: string }
  export interface LevelRange {
    gt?: string
    gte?: string
    lt?: string
    lte?: string
    reverse?: boolean
    limit?: number
  }
  export interface LevelIterator {
    nextv(size: number): Promise<unknown[]>
    close(): Promise<void>
  }
  /** LevelDB on disk or in memory, values as JSON. Missing keys read as undefined. */
  export interface Level {
    open(): Promise<void>
    close(): Promise<void>
    getSync<T = Item>(key: string): T | undefined
    /** All values from one snapshot. */
    getMany(keys: string[]): Promise<(Item | undefined)[]>
    batch(writes: LevelWrite[]): Promise<void>
    put(key: string, value: unknown): Promise<void>
    del(key: string): Promise<void>
    clear(range: LevelRange): Promise<void>
    keys(range: LevelRange): LevelIterator & { all(): Promise<string[]> }
    values(range: LevelRange): LevelIterator
  }

  export type Done = (error?: Error | null) => void
  export type DoneWith<T> = (error: Error | null, value?: T) => unknown
  /** What dynalite's actions use of the part of the store that holds a table's items. */
  export interface ItemDb {
    lock(key: string, run: (release: (done: DoneWith<Answer>) => DoneWith<Answer>) => void): void
    get(key: string, done: DoneWith<Item>): void
    put(key: string, item: Item, done: Done): void
    del(key: string, done: Done): void
    createValueStream(range: LevelRange): NodeJS.EventEmitter
  }
  export interface IndexDb {
    put(key: string, item: Item, done: Done): void
    del(key: string, done: Done): void
    createValueStream(range: LevelRange): NodeJS.EventEmitter
  }
  export interface TableDb {
    lock(key: string, run: (release: (done: DoneWith<Answer>) => DoneWith<Answer>) => void): void
    get(name: string, done: DoneWith<Table>): void
    put(name: string, table: Table, done: Done): void
    del(name: string, done: Done): void
    createKeyStream(range: LevelRange): NodeJS.EventEmitter
    awsAccountId: string
    awsRegion: string
  }
  export interface Store {
    options: { createTableMs: number; deleteTableMs: number; updateTableMs: number; maxItemSize: number }
    db: Level
    tableDb: TableDb
    getTable(name: string, checkStatus: false | DoneWith<Table>, done?: DoneWith<Table>): void
    getItemDb(table: string): ItemDb
    getIndexDb(type: 'Local' | 'Global' | 'local' | 'global', table: string, index: string): IndexDb
    getTagDb(table: string): unknown
    deleteItemDb(table: string, done: Done): void
    deleteIndexDb(type: 'Local' | 'Global', table: string, index: string, done: Done): void
    deleteTagDb(table: string, done: Done): void
  }

  const db: {
    create(options: { path?: string; createTableMs: number; deleteTableMs: number; updateTableMs: number }): Store
    createKey(item: Item, table: Table): string
    validateKey(key: Item, table: Table): Refusal | null | undefined
    validateItem(item: Item, table: Table): Refusal | null | undefined
    validationError(message: string): Refusal
    /** Calls `visit` for each key attribute of each index until it returns something. */
    traverseIndexes<T>(table: Table, visit: (attribute: string, type: string, index: { IndexName: string }) => T | undefined): T | undefined
    addConsumedCapacity(request: Request, isRead: boolean, item: Item | undefined): Capacity | undefined
    checkConditional(request: Request, existing: Item | undefined): Refusal | null | undefined
  }
  export default db
}

declare module 'dynalite/validations/index.js' {
  import type { Request, Store } from 'dynalite/db/index.js'

  /** Fields to types and limits, in dynalite's own small language: `{ Key: { type: 'Map<AttributeValue>', notNull: true, children: … } }`. */
  export type Schema = Record<string, unknown>
  export type Custom = (request: Request, store: Store) => string | undefined

  const validations: {
    /** Drops what the schema does not know; throws a Refusal (SerializationException) when a field has the wrong JSON type. */
    checkTypes(body: object, schema: Schema): Request
    /** Throws a Refusal (ValidationException). Also parses expressions and leaves them in the request for the action. */
    checkValidations(request: Request, schema: Schema, custom: Custom | undefined, store: Store): void
  }
  export default validations
}

declare module 'dynalite/validations/*.js' {
  import type { Custom, Schema } from 'dynalite/validations/index.js'

  const validation: { types: Schema; custom?: Custom }
  export default validation
}

declare module 'dynalite/actions/*.js' {
  import type { Answer, DoneWith, Request, Store } from 'dynalite/db/index.js'

  const action: (store: Store, request: Request, done: DoneWith<Answer>) => void
  export default action
}
