import { expect, test } from 'vitest'
import { isOfDomain } from '../../../src/lib/net/domain.ts'

test.each([
  ['hr.corp.example.com', 'hr.corp.example.com'],
  ['labor.corp.example.com', 'hr.corp.example.com'],
  ['corp.example.com', 'hr.corp.example.com'],
  ['a.b.corp.example.com', 'hr.corp.example.com'],
  ['hr.example.com', 'example.com'],
  ['labor.localhost', 'hr.localhost'],
  ['labor.internal', 'hr.internal'],
  ['127.0.0.1', '127.0.0.1'],
])('%s belongs to the domain of %s', (host, home) => {
  expect(isOfDomain(host, home)).toBe(true)
})

test.each([
  ['evil.com', 'hr.corp.example.com'],
  ['evil-corp.example.com', 'hr.corp.example.com'],
  ['corp.example.com.evil.com', 'hr.corp.example.com'],
  ['other.example.com', 'hr.corp.example.com'],
  ['evil.com', 'example.com'],
  ['evil.co.uk', 'example.co.uk'],
  ['co.uk', 'example.co.uk'],
  ['evil.github.io', 'corp.github.io'],
  ['1.0.0.1', '127.0.0.1'],
  ['[::2]', '[::1]'],
  ['evil', 'localhost'],
])('%s does not belong to the domain of %s', (host, home) => {
  expect(isOfDomain(host, home)).toBe(false)
})
