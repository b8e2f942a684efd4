import { imageNotTaken } from '../../core/words/results.ts'
import type { Part } from '../parameters.ts'

// Refusals that are about what stands in one request, where the next one may be taken.

const IMAGE = /\bimages?\b|\bimage_url\b/i
const BAD =
  /\b(?:could not|unable to|failed to|cannot be) (?:be )?(?:process|decod|read|load|open|identif|pars)|\bexceed|\btoo (?:large|big|small|many)\b|\bcorrupt|\bmalformed\b|\bdimensions?\b|\bpixels?\b|\bvalid image\b|\binvalid (?:base64|image)\b|\bunsupported image(?: format| media|\.|$)/i
/** One image that is refused as such, and not images altogether: the next conversation is asked with its own. */
export const oneImage = (isIn: Part['isIn'], withoutImages: (body: object, note: typeof imageNotTaken) => object): Part => ({
  name: 'an image of a result',
  isOnce: true,
  isIn,
  isRefused: (_, message) => IMAGE.test(message) && BAD.test(message),
  without: (body) => withoutImages(body, imageNotTaken),
})

/** Words for what is wrong with one schema. */
const BAD_SCHEMA =
  /\bformat\.schema\b|\bjson_schema\.schema\b|\binvalid_json_schema\b|\badditionalProperties\b|\b(?:invalid|unsupported|malformed) (?:json )?schema\b|\bschema\b.{0,40}\b(?:is not valid|is invalid|too (?:large|complex|deep|many))\b/i

/** One schema that is refused as such, and not the format that it stands in. */
export const oneSchema = ({ isIn, isRefused, without }: Pick<Part, 'isIn' | 'isRefused' | 'without'>): Part => ({
  name: 'the schema of the answer',
  isOnce: true,
  isIn,
  isRefused: (named, message) => isRefused(named, message) && BAD_SCHEMA.test(message),
  without,
})
