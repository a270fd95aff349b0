# bash completion for stint; load it with: source <(stint completion bash)
_stint() {
	local current=${COMP_WORDS[COMP_CWORD]} value
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
	[[ $current == = ]] && current=
	COMPREPLY=()
	while IFS=$'\t' read -r value _; do
		case $value in
		:files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current") ;;
		:folders) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$current") ;;
		*) COMPREPLY+=("$value") ;;
		esac
	done < <("${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _stint stint
