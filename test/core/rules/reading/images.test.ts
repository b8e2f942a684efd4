import { expect, test } from 'vitest'
import { createImageAllowance, imageType } from '../../../../src/core/rules/reading/images.ts'

test.each<[what: string, bytes: Buffer, type: string | undefined]>([
  ['a PNG', Buffer.from('89504e470d0a1a0a0000000d', 'hex'), 'image/png'],
  ['a JPEG', Buffer.from('ffd8ffe000104a46', 'hex'), 'image/jpeg'],
  ['a GIF of 1987', Buffer.from('GIF87a…'), 'image/gif'],
  ['a GIF of 1989', Buffer.from('GIF89a…'), 'image/gif'],
  ['a WebP', Buffer.from('RIFF\0\0\0\0WEBPVP8 '), 'image/webp'],
  ['a sound, which has the container of a WebP', Buffer.from('RIFF\0\0\0\0WAVEfmt '), undefined],
  ['the name of a WebP in another container', Buffer.from('LIST\0\0\0\0WEBPVP8 '), undefined],
  ['a PNG behind other bytes', Buffer.from('0089504e470d0a1a0a', 'hex'), undefined],
  ['the half of a PNG', Buffer.from('89504e47', 'hex'), undefined],
  ['a page', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), undefined],
  ['nothing', Buffer.alloc(0), undefined],
])('what an image is, by its first bytes: %s', (_, bytes, type) => {
  expect(imageType(bytes)).toBe(type)
})

const MB = 1024 * 1024
const images = (count: number, bytes: number) => Array.from({ length: count }, () => ({ bytes }))

test('a conversation holds fifty images, whatever their results', () => {
  const allowance = createImageAllowance()
  expect(allowance.take(images(30, 1))).toHaveLength(30)
  expect(allowance.take(images(30, 1))).toHaveLength(20)
  expect(allowance.take(images(1, 1))).toEqual([])
})

test('a conversation holds 16 MB of images; a smaller one may fit where a larger one did not', () => {
  const allowance = createImageAllowance()
  expect(allowance.take([{ bytes: 10 * MB }, { bytes: 6 * MB + 1 }, { bytes: 6 * MB }])).toEqual([{ bytes: 10 * MB }, { bytes: 6 * MB }])
  expect(allowance.take(images(1, 1))).toEqual([])
})
