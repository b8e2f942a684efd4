import { Failure } from '../../core/failure.ts'
import type { Provider } from '../../models/provider.ts'
import type { Recording } from './recording.ts'
import { standIn } from './stand-in.ts'

/** Gives the recorded answers again, in their order, to each run of the job. */
export function createReplay(recordingOf: (job: string) => Recording | undefined): Provider {
  const given = new Map<string, number>()
  return standIn(async ({ labels }) => {
    const recording = recordingOf(labels?.job ?? '')
    const at = given.get(labels?.run ?? '') ?? 0
    const turn = recording?.turns[at]
    given.set(labels?.run ?? '', at + 1)
    if (!recording || !turn)
      throw new Failure({
        code: 'MODEL_REFUSED',
        message: recording
          ? `The recording has ${recording.turns.length} answers, and the run asks for one more: it goes another way than when it was recorded.`
          : 'The job has no recording.',
        cure: 'Record it again: nightshift dev JOB --record.',
      })
    return { ...turn, responseId: null, providerRequestId: null, model: recording.model }
  })
}
