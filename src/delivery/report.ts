import type { RunView } from '../core/view.ts'

/** A report as it is sent: a CloudEvent (1.0, JSON format) about a run that is over. */
export interface ReportEvent {
  specversion: '1.0'
  /** Of the delivery: the same in each try. */
  id: string
  source: string
  type: 'nightshift.run.finished'
  subject: string
  time: string
  datacontenttype: 'application/json'
  data: Pick<
    RunView,
    | 'id'
    | 'job'
    | 'jobVersion'
    | 'status'
    | 'reasons'
    | 'failure'
    | 'trigger'
    | 'output'
    | 'outputText'
    | 'usage'
    | 'cost'
    | 'createdAt'
    | 'finishedAt'
  >
}

export function reportEvent(run: RunView, deliveryId: string): ReportEvent {
  const { id, job, jobVersion, status, reasons, failure, trigger, output, outputText, usage, cost, createdAt, finishedAt } = run
  return {
    specversion: '1.0',
    id: deliveryId,
    source: `/nightshift/jobs/${job}`,
    type: 'nightshift.run.finished',
    subject: id,
    time: finishedAt ?? createdAt,
    datacontenttype: 'application/json',
    data: { id, job, jobVersion, status, reasons, failure, trigger, output, outputText, usage, cost, createdAt, finishedAt },
  }
}
