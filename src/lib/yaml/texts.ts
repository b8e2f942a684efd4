const BELOW = 'write | behind the key, and the text on the line below, indented'

/** Why a line is no YAML, where its value is a text that begins like something else or has a key in it; undefined when it does not look so. */
export function textFault(line: string): string | undefined {
  if (/[{,[] *[\w.-]{1,60}: *\$\{/.test(line)) return 'a ${ stands in { } without quotes; write "${NAME}"'
  const [, value = ''] = /^\s*(?:- +)?[\w.$-]{1,60}: +(\S.*)$/.exec(line) ?? []
  const [begin = ''] = /^(?:\{\{|\{%|['"{[])/.exec(value) ?? []
  switch (begin) {
    case '{{':
    case '{%':
      return `a text begins with ${begin}, which YAML takes for a mapping; ${BELOW}`
    case "'":
      return `a text in ' ' ends at its first apostrophe, and something follows; ${BELOW}, without the quotes around it`
    case '"':
      return `a text in " " ends at its second ", and something follows; ${BELOW}, without the quotes around it`
    case '{':
    case '[':
      return `something follows a closing ${begin === '{' ? '}' : ']'}; take it out, or where all of it is a text, ${BELOW}`
    default:
      return value.includes(': ') ? `a text has a colon and a space in it, as a key has; ${BELOW}` : undefined
  }
}
