import { compile, SOURCES } from '../deploy/embedded/compile.mjs'

/** Once before all tests: what they start as processes runs compiled, as under `npm start`. `ownModule` finds it by COMPILED. */
export default () => compile([...SOURCES, 'test'])
