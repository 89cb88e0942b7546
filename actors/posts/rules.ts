import { rules } from '../../contracts/declare/rules.ts'
import { posts } from '../../contracts/posts.ts'
import { together } from '../kernel/authoring/rule.ts'
import { comments } from './comments.ts'
import { likes } from './likes.ts'
import { pinning } from './pins.ts'
import { writing } from './post.ts'
import { publishing } from './publish.ts'

export const postRules = rules(posts, together(publishing, writing, likes, comments, pinning))
