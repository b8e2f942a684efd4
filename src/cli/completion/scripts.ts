// What each shell does at TAB: it asks the program, and shows what that answers. Words are handed on as they are, and never evaluated.

/** A line that the program answers where names of files may stand as well. */
export const FILES_LINE = ':files'

const BASH = `# bash completion of nightshift. In ~/.bashrc: source <(nightshift completion bash)
_nightshift() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == '${FILES_LINE}' ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" complete bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _nightshift nightshift
`

const ZSH = `# zsh completion of nightshift. In ~/.zshrc, after compinit: source <(nightshift completion zsh)
_nightshift() {
  local line
  local -a found
  local -i files=0
  while IFS= read -r line; do
    if [[ $line == '${FILES_LINE}' ]]; then
      files=1
    else
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done < <("\${words[1]}" complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe 'nightshift' found
  (( files )) && _files
}
compdef _nightshift nightshift
`

const FISH = `# fish completion of nightshift. In ~/.config/fish/completions/nightshift.fish: nightshift completion fish | source
function __nightshift_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] complete fish -- $words[2..-1] "$current" 2>/dev/null)
    if test "$line" = '${FILES_LINE}'
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c nightshift -f -a '(__nightshift_complete)'
`

/** The completion script of each shell. */
export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const
export type Shell = keyof typeof SCRIPTS
export const SHELLS = ['bash', 'zsh', 'fish'] as const satisfies Shell[]

/** bash makes words of their own of what stands around a `=`: the names of options and their values are as if a space were between. */
export const wordsOf = (shell: Shell, given: readonly string[]): { before: string[]; current: string } => {
  const words = shell === 'bash' ? given.filter((word, index) => word !== '=' || index === given.length - 1) : [...given]
  const last = words.pop() ?? ''
  return { before: words, current: shell === 'bash' && last === '=' ? '' : last }
}
