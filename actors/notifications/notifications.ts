import { notifications } from '../../contracts/notifications.ts'
import { implement } from '../authoring/authoring.ts'
import { notificationHandlers } from './handlers.ts'
import { notificationRules } from './rules.ts'
import { notificationViews } from './views.ts'

export const notificationsActor = implement(notifications, () => ({
  rules: notificationRules,
  on: notificationHandlers,
  views: notificationViews,
}))
