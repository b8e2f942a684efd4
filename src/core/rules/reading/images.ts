// Which bytes are an image that a model may be shown: by what they begin with, whatever the server calls them.

/** Largest image that is shown: as base64 it has less than the 5 MB that providers take. */
export const MAX_IMAGE_BYTES = 3_670_016
/** Most images of one result. */
export const MAX_IMAGES = 10
/** Most images, and bytes of them, that one conversation holds: each request sends them all. */
const MAX_TOLD = { images: 50, bytes: 16_777_216 }

/** `image/png`, `image/jpeg`, `image/gif` or `image/webp`; undefined for anything else. */
export function imageType(bytes: Buffer): string | undefined {
  const begins = (hex: string, at = 0) => bytes.subarray(at, at + hex.length / 2).toString('hex') === hex
  if (begins('89504e470d0a1a0a')) return 'image/png'
  if (begins('ffd8ff')) return 'image/jpeg'
  if (begins('474946383761') || begins('474946383961')) return 'image/gif'
  return begins('52494646') && begins('57454250', 8) ? 'image/webp' : undefined
}

/** The images of one result after the other, as far as a conversation may hold them. */
export function createImageAllowance() {
  let [images, bytes] = [0, 0]
  return {
    take<Image extends { bytes: number }>(of: readonly Image[]): Image[] {
      return of.filter((one) => {
        const fits = images < MAX_TOLD.images && bytes + one.bytes <= MAX_TOLD.bytes
        if (fits) [images, bytes] = [images + 1, bytes + one.bytes]
        return fits
      })
    },
  }
}
