# Completes `cargo xtask` and `@name@`. To load it:  source <(cargo xtask completions bash)

# The program that this checkout has built; an older one will do for completing.
_xtask_program() {
    local dir=$PWD target profile
    for target in "${CARGO_TARGET_DIR-}" ''; do
        while :; do
            for profile in debug release; do
                REPLY=${target:-${dir%/}/target}/$profile/@name@
                [[ -x $REPLY ]] && return
            done
            [[ -n $target || $dir == / || -z $dir ]] && break
            dir=${dir%/*}
        done
    done
    REPLY=@program@
    [[ -x $REPLY ]]
}

# Takes the words after `xtask`; the last one is being typed.
_xtask_complete() {
    local REPLY line typed=${!#}
    COMPREPLY=()
    _xtask_program || return 0
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
    done < <("$REPLY" __complete "$@" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
    return 0
}

_xtask() {
    _xtask_complete "${COMP_WORDS[@]:1:COMP_CWORD}"
}

# Everything but `cargo xtask` is left to Cargo's own completion.
_xtask_cargo() {
    local at=1 file
    if [[ ${COMP_WORDS[1]-} == +* ]]; then at=2; fi
    if ((COMP_CWORD > at)) && [[ ${COMP_WORDS[at]} == xtask ]]; then
        _xtask_complete "${COMP_WORDS[@]:at+1:COMP_CWORD-at}"
        return
    fi
    if [[ -z $_xtask_cargo_own ]]; then
        file=$(rustc --print sysroot 2>/dev/null)/etc/bash_completion.d/cargo
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
