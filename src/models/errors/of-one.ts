// Refusals that are about what stands in one request, where the next one may be taken.

const IMAGE = /\bimages?\b|\bimage_url\b/i
const BAD =
  /\b(?:could not|unable to|failed to|cannot be) (?:be )?(?:process|decod|read|load|open|identif|pars)|\bexceed|\btoo (?:large|big|small|many)\b|\bcorrupt|\bmalformed\b|\bdimensions?\b|\bpixels?\b|\bvalid image\b|\binvalid (?:base64|image)\b|\bunsupported image(?: format| media|\.|$)/i
/** Whether a message is about one image, and not about images. */
export const isOfOneImage = (message: string): boolean => IMAGE.test(message) && BAD.test(message)

/** Words for what is wrong with one schema. */
export const BAD_SCHEMA =
  /\bformat\.schema\b|\bjson_schema\.schema\b|\binvalid_json_schema\b|\badditionalProperties\b|\b(?:invalid|unsupported|malformed) (?:json )?schema\b|\bschema\b.{0,40}\b(?:is not valid|is invalid|too (?:large|complex|deep|many))\b/i
