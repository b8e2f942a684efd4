import { Failure } from '../../core/failure.ts'
import { showLine } from '../../lib/text.ts'
import type { ModelRequest } from '../../models/model.ts'
import type { Provider } from '../../models/provider.ts'
import type { Recording } from './recording.ts'
import { standIn } from './stand-in.ts'

/** Gives the recorded answers again, in their order, to each run of the job. */
export function createReplay(recordingOf: (job: string) => Recording | undefined): Provider {
  const given = new Map<string, number>()
  return standIn(async ({ labels, exchanges }) => {
    const recording = recordingOf(labels?.job ?? '')
    const at = given.get(labels?.run ?? '') ?? 0
    const turn = recording?.turns[at]
    given.set(labels?.run ?? '', at + 1)
    if (!recording || !turn)
      throw new Failure({
        code: 'MODEL_REFUSED',
        message: recording
          ? `The recording has ${answers(recording.turns.length)}, and the run asks for one more${whyMore(exchanges)}.`
          : 'The job has no recording.',
        cure: 'Where the job is to be as it is now, record it again: nightshift dev JOB --record.',
      })
    return { ...turn, responseId: null, providerRequestId: null, model: recording.model }
  })
}

/** Characters of what the model was told. */
const MAX_TOLD = 300

const answers = (count: number) => `${count} answer${count === 1 ? '' : 's'}`

/** What the model was told last: why its answer was not taken, or what its calls did not give. */
function whyMore(exchanges: ModelRequest['exchanges']): string {
  const last = exchanges.at(-1)
  const told = last?.reply ?? last?.results.find(({ isError }) => isError)?.text
  if (told === undefined) return ': it goes another way than when it was recorded'
  const line = showLine(told)
  return `, since the last one was answered with: ${line.length > MAX_TOLD ? `${line.slice(0, MAX_TOLD)}…` : line.replace(/\.$/, '')}`
}
