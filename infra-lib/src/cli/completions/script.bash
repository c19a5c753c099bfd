# Completes `cargo xtask` and `@name@`. To load it:  source <(cargo xtask completions bash)

# Takes the program that is typed, as a path or `cargo`, and the words after `xtask`; the last one is being typed.
_xtask_complete() {
    local program=@program@ line typed=${!#}
    COMPREPLY=()
    # Whatever runs here must be the user's; the program that printed this script knows which one is meant.
    [[ -O $program && -x $program ]] || return 0
    program=$("$program" __completer "$1" 2>/dev/null)
    [[ -n $program ]] || return 0
    shift
    while IFS= read -r line; do
        case $line in
            :dirs | :files)
                compopt -o filenames 2>/dev/null
                while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
                    if [[ $line == :dirs ]]; then compgen -d -- "$typed"; else compgen -f -- "$typed"; fi
                )
                ;;
            ?*) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("$program" __complete "$@" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
    return 0
}

_xtask() {
    _xtask_complete "$(type -P -- "${COMP_WORDS[0]/#\~\//$HOME/}")" "${COMP_WORDS[@]:1:COMP_CWORD}"
}

# Everything but `cargo xtask` is left to Cargo's own completion.
_xtask_cargo() {
    local at=1 file
    if [[ ${COMP_WORDS[1]-} == +* ]]; then at=2; fi
    if ((COMP_CWORD > at)) && [[ ${COMP_WORDS[at]} == xtask ]]; then
        _xtask_complete cargo "${COMP_WORDS[@]:at+1:COMP_CWORD-at}"
        return
    fi
    if [[ -z $_xtask_cargo_own ]]; then
        # Not in this folder, whose `rust-toolchain.toml` could name another `rustc`.
        file=$(cd / && rustc --print sysroot 2>/dev/null)/etc/bash_completion.d/cargo
        if [[ -r $file ]]; then
            # shellcheck disable=SC1090
            source "$file"
            complete -o default -F _xtask_cargo cargo
        fi
        _xtask_cargo_own=_cargo
    fi
    COMPREPLY=()
    if declare -F "$_xtask_cargo_own" >/dev/null; then "$_xtask_cargo_own" "$@" 2>/dev/null; fi
    if ((COMP_CWORD == at)) && [[ xtask == "${COMP_WORDS[at]}"* && " ${COMPREPLY[*]-} " != *" xtask "* ]]; then
        COMPREPLY+=(xtask)
    fi
    return 0
}

_xtask_cargo_own=$(complete -p cargo 2>/dev/null)
if [[ $_xtask_cargo_own =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _xtask_cargo ]]; then
    _xtask_cargo_own=${BASH_REMATCH[1]}
else
    _xtask_cargo_own=
fi
complete -o default -F _xtask_cargo cargo
complete -o default -F _xtask @name@
