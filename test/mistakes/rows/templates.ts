import type { Mistake } from '../row.ts'

const DATE = '{{ fire_time | date: "%F" }}'
const INPUT = 'input: { type: object, properties: { below: { type: integer } } }'
const UNSCHEDULED = `schedule: { cron: "0 7 * * 1", timezone: Europe/Zurich }
prompt: |
  Report unemployment by industry as of ${DATE}.`

/** What a template names, and a run does not have or the model is told as it stands. */
export const TEMPLATES: readonly Mistake[] = [
  {
    name: 'an input that may be left out, and a schedule that gives none',
    file: 'jobs/report.yaml',
    good: `${DATE}.`,
    typed: `{{ input.below }}.\n${INPUT}`,
    mended: `{{ input.below | default: "none" }}.\n${INPUT}`,
    says: [
      'jobs/report.yaml:6: prompt uses input.below, which the runs of the schedule do not have; give it, as in schedule: { …, input: { below: … } }, or write {{ input.below | default: "none" }} or {% if input.below %}',
    ],
  },
  {
    name: 'an input that may be left out',
    file: 'jobs/report.yaml',
    good: UNSCHEDULED,
    typed: `${INPUT}\nprompt: What is below {{ input.below }}?`,
    mended: `${INPUT}\nprompt: |\n  What is below {{ input.below | default: "none" }}?`,
    says: [
      'warning: jobs/report.yaml:5: prompt uses input.below, which the input may leave out, and the run would fail; name it under required: of the schema, or write {{ input.below | default: "none" }} or {% if input.below %}; for that, write prompt: | and the text on the line below, indented',
    ],
  },
  {
    name: 'an input of the schedule that has no text',
    file: 'jobs/report.yaml',
    good: UNSCHEDULED,
    typed: `schedule: { cron: "0 7 * * 1", timezone: Europe/Zurich, input: { regions: [north, south] } }\ninput: { type: object, required: [regions], properties: { regions: { type: array } } }\nprompt: Report on {{ input.regions }}`,
    mended: `schedule: { cron: "0 7 * * 1", timezone: Europe/Zurich, input: { regions: [north, south] } }\ninput: { type: object, required: [regions], properties: { regions: { type: array } } }\nprompt: |\n  Report on {{ input.regions | join: ", " }}`,
    says: [
      'jobs/report.yaml:6: prompt cannot be rendered with the input of the schedule: a list has no text of its own; add | join: ", " or | json; for that, write prompt: | and the text on the line below, indented',
    ],
  },
  {
    name: 'a part of the period that is none',
    file: 'jobs/report.yaml',
    good: UNSCHEDULED,
    typed: `schedule: { cron: "0 7 * * 1", timezone: Europe/Zurich, period: day }\nprompt: Report on {{ period.form }}`,
    mended: `schedule: { cron: "0 7 * * 1", timezone: Europe/Zurich, period: day }\nprompt: Report on {{ period.from }}`,
    says: ['jobs/report.yaml:5: prompt uses period.form, which is not there; did you mean from?'],
  },
  {
    name: 'a part of a date',
    file: 'jobs/report.yaml',
    good: DATE,
    typed: '{{ fire_time.year }}',
    mended: '{{ fire_time | date: "%Y" }}',
    says: ['jobs/report.yaml:6: prompt uses fire_time.year, which is not there; write {{ fire_time | date: "%Y" }} for a part of a date'],
  },
  {
    name: 'a prompt of spaces',
    file: 'jobs/report.yaml',
    good: UNSCHEDULED,
    typed: 'prompt: "   "',
    says: ['jobs/report.yaml:4: prompt is empty; write what the model is to do'],
  },
  {
    name: 'a date format of another language',
    file: 'jobs/report.yaml',
    good: '"%F"',
    typed: '"YYYY-MM-DD"',
    mended: '"%Y-%m-%d"',
    says: [
      'warning: jobs/report.yaml:6: prompt has the date format YYYY-MM-DD, which is written as it stands: it has no code such as %Y; write for example %Y-%m-%d or %H:%M',
    ],
  },
  {
    name: 'a trigger that is none',
    file: 'jobs/report.yaml',
    good: `${DATE}.`,
    typed: '{% if trigger == "cron" %}now{% endif %}',
    mended: '{% if trigger == "schedule" %}now{% endif %}',
    says: [
      'warning: jobs/report.yaml:6: prompt asks whether trigger is cron, which it never is; known are schedule, missed, backfill, manual, retry',
    ],
  },
  ...['<%= fire_time %>', '%(fire_time)s', '$fire_time'].map((typed): Mistake => ({
    name: `a variable as ${typed}`,
    file: 'jobs/report.yaml',
    good: DATE,
    typed,
    mended: '{{ fire_time }}',
    says: [`warning: jobs/report.yaml:6: prompt has ${typed}, which the model is told as it stands; write {{ fire_time }} for the value`],
  })),
]
