// Runs in the container that stands in the model provider's place: the scripted model, for the report of jobs/labor-report.yaml alone.
import { startDemoModel } from '../../src/demo/model/model.ts'
import { reportScript } from '../../src/demo/model/report-script.ts'
import { script } from '../../src/demo/model/script.ts'
import { forward } from './forward.ts'

/** A turn takes a while, so that there is something under way when something is restarted. */
const SLOWLY = script('wait 1500')
const model = await startDemoModel({ scripts: { 'gpt-5.4-mini': [...SLOWLY, ...reportScript] } })
forward(8080, Number(new URL(model.url).port))
process.once('SIGTERM', () => process.exit(0))
