import { z } from 'zod'

/** Sign-up and sign-in as the Cognito protocol has them, with `fetch` alone, so that the embedded pool and the real one are used alike. */

export type Fetch = (url: string, init: RequestInit) => Promise<Response>
export type Pool = { readonly endpoint: string; readonly clientId: string }
export type Credentials = { readonly email: string; readonly password: string }
/** `expiresAt` is epoch ms. `refresh` is good for new tokens. */
export type Tokens = { readonly access: string; readonly id: string; readonly refresh: string | null; readonly expiresAt: number }

/** What the pool refuses: `kind` is Cognito's own word for it, such as `UsernameExistsException`. */
export class SignInError extends Error {
  readonly kind: string
  constructor(action: string, kind: string, message: string) {
    super(`${action}: ${kind}: ${message}`)
    this.name = 'SignInError'
    this.kind = kind
  }
}

const Refusal = z.object({ __type: z.string().default('UnknownError'), message: z.string().default('') })
const SignedUp = z.object({ UserSub: z.string(), UserConfirmed: z.boolean() })
const SignedIn = z.object({
  AuthenticationResult: z.object({
    AccessToken: z.string(),
    IdToken: z.string(),
    RefreshToken: z.string().optional(),
    ExpiresIn: z.number().default(3600),
  }),
})

export const cognito = ({ endpoint, clientId }: Pool, fetch: Fetch) => {
  const call = async (action: string, body: object): Promise<unknown> => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${action}` },
      body: JSON.stringify({ ClientId: clientId, ...body }),
    })
    const text = await response.text()
    if (response.ok) return JSON.parse(text)
    const refused = Refusal.safeParse(parsed(text)).data ?? { __type: `HTTP ${response.status}`, message: text.slice(0, 200) }
    throw new SignInError(action, refused.__type.split('#').at(-1) ?? '', refused.message)
  }
  const initiate = async (flow: string, parameters: Readonly<Record<string, string>>, kept: string | null): Promise<Tokens> => {
    const { AuthenticationResult: r } = SignedIn.parse(await call('InitiateAuth', { AuthFlow: flow, AuthParameters: parameters }))
    return { access: r.AccessToken, id: r.IdToken, refresh: r.RefreshToken ?? kept, expiresAt: Date.now() + r.ExpiresIn * 1000 }
  }
  return {
    /** @returns the new person's id, and whether they may sign in at once or must confirm their address first */
    signUp: async ({ email, password }: Credentials) => {
      const UserAttributes = [{ Name: 'email', Value: email }]
      const { UserSub, UserConfirmed } = SignedUp.parse(await call('SignUp', { Username: email, Password: password, UserAttributes }))
      return { userId: UserSub, confirmed: UserConfirmed }
    },
    signIn: ({ email, password }: Credentials) => initiate('USER_PASSWORD_AUTH', { USERNAME: email, PASSWORD: password }, null),
    renew: (refresh: string) => initiate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: refresh }, refresh),
  }
}
export type Cognito = ReturnType<typeof cognito>

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The subject of a token: the person's id. The token is not verified; the mesh does that. */
export const subjectOf = (token: string): string => {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
  return z.object({ sub: z.string() }).parse(JSON.parse(atob(payload))).sub
}
