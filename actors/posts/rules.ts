import { rules } from '../../contracts/declare/actor.ts'
import { posts } from '../../contracts/posts.ts'
import { comments } from './comments.ts'
import { likes } from './likes.ts'
import { writing } from './post.ts'
import { publishing } from './publish.ts'

export const postRules = rules(posts, {
  decide: { ...publishing.decide, ...writing.decide, ...likes.decide, ...comments.decide },
  apply: { ...publishing.apply, ...writing.apply, ...likes.apply, ...comments.apply },
  answer: { ...publishing.answer, ...writing.answer, ...likes.answer, ...comments.answer },
})
