import type { RunView } from '../../core/view.ts'
import type { CloudEvent } from '../../core/cloud-event.ts'

/** A report as it is sent: about a run that is over. */
export interface ReportEvent extends CloudEvent {
  type: 'nightshift.run.finished'
  data: ReturnType<typeof dataOf>
}

/** What a report tells of its run. */
const dataOf = (run: RunView) => ({
  id: run.id,
  job: run.job,
  jobVersion: run.jobVersion,
  status: run.status,
  reasons: run.reasons,
  failure: run.failure,
  trigger: run.trigger,
  tags: run.tags,
  output: run.output,
  outputText: run.outputText,
  ending: run.ending,
  usage: run.usage,
  cost: run.cost,
  models: run.models,
  createdAt: run.createdAt,
  finishedAt: run.finishedAt,
})

export const reportEvent = (run: RunView, deliveryId: string): ReportEvent => ({
  specversion: '1.0',
  id: deliveryId,
  source: `/nightshift/jobs/${run.job}`,
  type: 'nightshift.run.finished',
  subject: run.id,
  time: run.finishedAt ?? run.createdAt,
  datacontenttype: 'application/json',
  data: dataOf(run),
})
