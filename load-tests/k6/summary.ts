import { htmlOf, type SummaryData, textOf } from './report.ts'
import { baseUrl, report } from './settings.ts'

/** For `handleSummary`: a table at the end of the run, and the same as a page. @param what who does what in the scenario */
export const summary = (scenario: string, what: string) => (data: SummaryData) => {
  const run = { scenario, what, url: baseUrl, data }
  return { stdout: textOf(run), ...(report === '' ? {} : { [report]: htmlOf(run, new Date()) }) }
}
