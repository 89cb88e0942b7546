import type { Mesh, Step } from '../mesh.ts'

/** How people sign up, in and on, in Markdown: the token scheme of the API's description says it, and the page for people shows it. */

/** A call of the Cognito protocol, as a line for a shell. */
const call = (action: string, body: string): string =>
  `curl -X POST <endpoint> -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSCognitoIdentityProviderService.${action}' -d '${body}'`

const COMING: readonly Step[] = [
  {
    title: 'Ask where',
    text: '`GET /v1/config` says, in `auth`, the `endpoint` and `clientId` of the user pool. Its calls are the Cognito protocol: `POST` to the endpoint, a JSON body, and the call’s name in `x-amz-target`. Any Cognito library makes them: Amplify and amazon-cognito-identity-js need the endpoint besides the two ids.',
  },
  {
    title: 'Sign up',
    text: `\`SignUp\` answers with \`UserSub\`, the person’s id here, and \`UserConfirmed\`; where that is false, \`ConfirmSignUp\` takes the code that was sent to the address. \`${call('SignUp', '{"ClientId":"…","Username":"ana@example.org","Password":"…","UserAttributes":[{"Name":"email","Value":"ana@example.org"}]}')}\``,
  },
  {
    title: 'Sign in',
    text: `Libraries prove the password without sending it (\`USER_SRP_AUTH\`). By hand, \`InitiateAuth\` with \`USER_PASSWORD_AUTH\` answers with \`AuthenticationResult\`: \`AccessToken\` and \`IdToken\`, either of which is taken here, \`RefreshToken\`, and \`ExpiresIn\`, the seconds for which the first two are good. \`${call('InitiateAuth', '{"ClientId":"…","AuthFlow":"USER_PASSWORD_AUTH","AuthParameters":{"USERNAME":"ana@example.org","PASSWORD":"…"}}')}\``,
  },
]

const STAYING: readonly Step[] = [
  {
    title: 'Renew before expiry',
    text: `Before \`ExpiresIn\` is over, a minute or so, \`InitiateAuth\` with \`REFRESH_TOKEN_AUTH\` gives new tokens; it may give no new refresh token, then the old one stays good; \`GetTokensFromRefreshToken\` does the same. A request with an expired token is answered with \`401 invalid-token\`: renew and send it again, once. \`${call('InitiateAuth', '{"ClientId":"…","AuthFlow":"REFRESH_TOKEN_AUTH","AuthParameters":{"REFRESH_TOKEN":"…"}}')}\``,
  },
  {
    title: 'Renew the stream, too',
    text: 'Each open stream keeps to the token that it has: send `{ "op": "auth", "token": "…" }` with the new one, of the same person; it gets no answer. A stream whose token has expired is closed with `4401`: connect with a new token, and resume.',
  },
  {
    title: 'Sign out',
    text: '`GlobalSignOut`, `RevokeToken` and `DeleteUser` end what can be renewed. Access and ID tokens of before are taken here until they expire: drop them, and close the stream.',
  },
]

/** What people do from signing up on, the product's first steps among it. */
export const signingIn = (mesh: Mesh): readonly Step[] => [...COMING, ...mesh.firstSteps, ...STAYING]

/** The same as one text. */
export const signingInText = (mesh: Mesh): string =>
  signingIn(mesh)
    .map(({ title, text }, i) => `${i + 1}. **${title}.** ${text}`)
    .join('\n')
