/** What Nightshift tells others is a CloudEvent (1.0, JSON format). */
export interface CloudEvent {
  specversion: '1.0'
  /** The same whenever it is sent again. */
  id: string
  source: string
  type: string
  subject: string
  time: string
  datacontenttype: 'application/json'
  data: unknown
}
