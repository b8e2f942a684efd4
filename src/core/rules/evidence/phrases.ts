// The phrases in which a tool says that its result is not the whole. Each is looked for only where such a thing is said: at an end of the text, as a mark or at the
// beginning of a sentence. What merely speaks of pages, cuts and counts of something else is left alone.

/** Characters at each end of a text that are searched: what a tool says of its result stands there, and not in the middle. */
const EDGE = 300

// A text that is searched may be all spaces or digits, so that each run of them has an end: the time stays linear.

/** Before a sign: a line, a sentence, a bracket or a bar begins. */
const BEGIN = String.raw`(?:^|[\n.!?:;,|([*_—–]\s{0,20}|(?<=\s|^)- ?)`
/** After a sign: the line, the sentence or the bracket ends. */
const END = String.raw`(?=\s{0,20}(?:$|[\n.,:;()\]!|*_<—–-]))`
const NUMBER = String.raw`\d[\d,]{0,20}`

const PAGE = new RegExp(
  String.raw`(?<=${BEGIN}(?:(?:showing|displaying|returning|this is|results?,?) )?)page (\d{1,6}) ?(?:of|/) ?(\d{1,6})\b${END}`,
  'gi',
)

const SHOWING = new RegExp(
  String.raw`(?<=${BEGIN})(?:(?:showing|displaying|returning|listing)\b[^.\n]{0,30}?|results? (?:\d{1,12} ?(?:-|–|to) ?)?)(${NUMBER}) (?:out )?of (?:about )?(${NUMBER})(?= (?:\w{1,30} )?(?:results?|rows?|items?|records?|entries|matches|hits|total)\b|(?: [\w-]{1,40})?${END})`,
  'gi',
)

const SHOWN = new RegExp(
  String.raw`(?<=${BEGIN})(${NUMBER}) of (${NUMBER})(?: \w{1,30})? (?:are |were )?(?:shown|displayed|returned|listed)${END}`,
  'gi',
)

const WHAT = String.raw`(?:(?:note|warning): )?(?:the |this )?(?:content|output|results?|response|list)`
const SIZE = String.raw`(?:to|at|after) (?:the )?(?:first |last )?(?:about |~)?${NUMBER} ?(?:[km]?b|bytes|characters|chars|lines|rows|results|items|entries|records|tokens|words)\b`
const REASON = String.raw`(?:due to|because of|for) (?:\w{1,30} ){0,3}?(?:length|size|limits?|brevity)\b(?: limits?\b)?`
const VERB = '(?: (?:was|were|is|are|has been|have been))?'
const MORE = String.raw`(?:there are )?(?:${NUMBER} |many )?(?:more|further|additional) (?:results|rows|items|pages|records|entries) (?:are )?(?:available|not shown|omitted)`
const CUT = new RegExp(
  [
    String.raw`(?<=${BEGIN})${WHAT}${VERB} truncated(?: ${SIZE}| ${REASON}|${END})`,
    String.raw`(?<=${BEGIN})truncated ${SIZE}`,
    String.raw`[(<]truncated[)>]`,
    String.raw`\[(?!not )[^\]\n]{0,60}\btruncated\b[^\]\n]{0,120}\]`,
    String.raw`(?:\.\.\.|…) ?[(\[<]?truncated`,
    String.raw`(?<=${BEGIN})${MORE}(?:${END}|(?= (?:via|with|using|by calling|by passing)\b))`,
  ].join('|'),
  'i',
)

const NOUN = '(?:results?|rows?|items?|pages?|records?|entries|lines?|elements?|matches|hits|files?|others)'
/** How many are missing, where a list was cut: “… 45 more”, “(+45 more)”, “and 45 more rows” as an item. */
const MISSING = new RegExp(
  [
    String.raw`(?:\.\.\.|…) ?[(\[<]?(?:and |plus )?\+?(?:${NUMBER} )?more\b(?: ${NOUN}\b)?[)\]>]?${END}`,
    String.raw`[(\[<]\+ ?${NUMBER}(?: more)?(?: ${NOUN})?[)\]>]`,
    String.raw`[(\[<](?:and )?${NUMBER} more(?: ${NOUN})?[)\]>]`,
    // The whole of an item.
    String.raw`^(?:and |plus )?\+?${NUMBER} more(?: ${NOUN})?\.?$`,
  ].join('|'),
  'i',
)
/** A line of a stack trace, which counts the lines that it shares with the one before in the same words. */
const TRACE = /^\s{0,20}at \S{1,300} ?\(/m
/** In characters, from the end. */
const MISSING_EDGE = 80

/** A count of what is missing, at the end of a text or a list. */
export function missingAtEnd(text: string): string | undefined {
  return TRACE.test(text.slice(-EDGE * 4)) ? undefined : MISSING.exec(text.slice(-MISSING_EDGE))?.[0]
}

/** Such a phrase as it stands in the text; undefined where there is none. */
export function signInPhrases(text: string): string | undefined {
  const head = text.slice(0, EDGE)
  // Where it is cut, no sentence begins.
  const tail = text.length <= EDGE ? text : `x${text.slice(-EDGE)}`
  return unreadPage(text, [head, tail]) ?? countIn(head) ?? countIn(tail) ?? CUT.exec(tail)?.[0] ?? missingAtEnd(text)
}

/** The furthest page that the text names, when it is not the last one: of each list or document of which an end of the text names one. */
function unreadPage(text: string, ends: readonly string[]): string | undefined {
  const totals = new Set(ends.flatMap((end) => [...end.matchAll(PAGE)].map(([, , total]) => Number(total))))
  if (totals.size === 0) return undefined
  const furthest = new Map<number, { said: string; page: number }>()
  for (const [said, of, last] of text.matchAll(PAGE)) {
    const [page, total] = [Number(of), Number(last)]
    if (page > (furthest.get(total)?.page ?? -1)) furthest.set(total, { said, page })
  }
  return [...furthest].find(([total, { page }]) => totals.has(total) && page < total)?.[1].said
}

/** The first count that is not the whole. */
const countIn = (text: string): string | undefined =>
  [...text.matchAll(SHOWING), ...text.matchAll(SHOWN)].find(([, upTo, total]) => digits(upTo) < digits(total))?.[0]

const digits = (text: string | undefined) => Number(text?.replaceAll(',', ''))
