type Saw = (text: unknown) => void

/** Watches what strings and expressions are handed. @returns puts them back as they were */
const watchStrings = (saw: Saw) => {
  const { exec } = RegExp.prototype
  const { normalize, localeCompare, toLocaleLowerCase, toLocaleUpperCase } = String.prototype
  const iterate = String.prototype[Symbol.iterator]
  RegExp.prototype.exec = function (text) {
    saw(text)
    return exec.call(this, text)
  }
  String.prototype.normalize = function (form?: string) {
    saw(String(this))
    return normalize.call(this, form)
  }
  String.prototype.localeCompare = function (that: string) {
    saw(String(this))
    return localeCompare.call(this, that)
  }
  String.prototype.toLocaleLowerCase = function () {
    saw(String(this))
    return toLocaleLowerCase.call(this)
  }
  String.prototype.toLocaleUpperCase = function () {
    saw(String(this))
    return toLocaleUpperCase.call(this)
  }
  String.prototype[Symbol.iterator] = function () {
    saw(String(this))
    return iterate.call(this)
  }
  return () => {
    RegExp.prototype.exec = exec
    Object.assign(String.prototype, { normalize, localeCompare, toLocaleLowerCase, toLocaleUpperCase })
    String.prototype[Symbol.iterator] = iterate
  }
}

/** Watches what addresses, big numbers, time zones and locales are made of. @returns puts their makers back as they were */
const watchGlobals = (saw: Saw) => {
  const { URL: Url, BigInt: Big } = globalThis
  const { DateTimeFormat, getCanonicalLocales } = Intl
  globalThis.URL = new Proxy(Url, {
    construct: (target, args: [string]) => {
      saw(args[0])
      return new target(...args)
    },
    get: (target, name) =>
      name === 'canParse'
        ? (text: string) => {
            saw(text)
            return target.canParse(text)
          }
        : Reflect.get(target, name),
  })
  globalThis.BigInt = new Proxy(Big, {
    apply: (target, _, [value]: [string]) => {
      saw(value)
      return target(value)
    },
  })
  Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
    construct: (target, args: ConstructorParameters<typeof DateTimeFormat>) => {
      saw(args[1]?.timeZone)
      return new target(...args)
    },
  })
  Intl.getCanonicalLocales = tag => {
    saw(tag)
    return getCanonicalLocales(tag)
  }
  return () => {
    Object.assign(globalThis, { URL: Url, BigInt: Big })
    Intl.DateTimeFormat = DateTimeFormat
    Intl.getCanonicalLocales = getCanonicalLocales
  }
}

/**
 * Counts what a work costs, without a clock: the longest text that it hands to anything whose cost may grow faster than the text (expressions, addresses,
 * locales, normal forms, big numbers), or that copies it character by character. The work must be done when it returns.
 */
export const longestHanded = (work: () => void): number => {
  let longest = 0
  const saw: Saw = text => {
    if (typeof text === 'string' && text.length > longest) longest = text.length
  }
  const restore = [watchStrings(saw), watchGlobals(saw)]
  try {
    work()
  } finally {
    for (const undo of restore) undo()
  }
  return longest
}
