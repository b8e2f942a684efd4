/** What a model reads of a part of a result, or why there is none. */
export type Page = { ok: true; text: string } | { ok: false; why: string }

export const failed = (why: string): Page => ({ ok: false, why })
