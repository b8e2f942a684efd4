import type { RunView } from '../../core/view.ts'
import type { CloudEvent } from '../../core/cloud-event.ts'

/** A report as it is sent: about a run that is over. */
export interface ReportEvent extends CloudEvent {
  type: 'nightshift.run.finished'
  data: Pick<
    RunView,
    | 'id'
    | 'job'
    | 'jobVersion'
    | 'status'
    | 'reasons'
    | 'failure'
    | 'trigger'
    | 'tags'
    | 'output'
    | 'outputText'
    | 'ending'
    | 'usage'
    | 'cost'
    | 'models'
    | 'createdAt'
    | 'finishedAt'
  >
}

export function reportEvent(run: RunView, deliveryId: string): ReportEvent {
  const {
    id,
    job,
    jobVersion,
    status,
    reasons,
    failure,
    trigger,
    tags,
    output,
    outputText,
    ending,
    usage,
    cost,
    models,
    createdAt,
    finishedAt,
  } = run
  return {
    specversion: '1.0',
    id: deliveryId,
    source: `/nightshift/jobs/${job}`,
    type: 'nightshift.run.finished',
    subject: id,
    time: finishedAt ?? createdAt,
    datacontenttype: 'application/json',
    data: {
      id,
      job,
      jobVersion,
      status,
      reasons,
      failure,
      trigger,
      tags,
      output,
      outputText,
      ending,
      usage,
      cost,
      models,
      createdAt,
      finishedAt,
    },
  }
}
