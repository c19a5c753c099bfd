#compdef @name@
# Completes `cargo xtask` and `@name@`. To load it, after compinit:  source <(cargo xtask completions zsh)

# Takes the program that is typed, as a path or `cargo`, and the words after `xtask`; the last one is being typed.
_xtask_complete() {
    local program=@program@ line
    local -a described suffix
    # Whatever runs here must be the user's; the program that printed this script knows which one is meant.
    [[ -O $program && -x $program ]] || return 1
    program=$("$program" __completer "$1" 2>/dev/null)
    [[ -n $program ]] || return 1
    shift
    for line in "${(@f)$("$program" __complete "$@" 2>/dev/null)}"; do
        case $line in
            :dirs) _files -/ ;;
            :files) _files ;;
            *$'\t'*) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            *=) described+=("$line"); suffix=(-S '') ;;
            ?*) described+=("${line//:/\\:}") ;;
        esac
    done
    (( $#described )) && _describe xtask described "${suffix[@]}"
}

_xtask() {
    _xtask_complete "$(whence -p -- ${~words[1]})" "${(@)words[2,CURRENT]}"
}

# Everything but `cargo xtask` is left to Cargo's own completion.
_xtask_cargo() {
    local at=2
    [[ ${words[2]} == +* ]] && at=3
    if (( CURRENT > at )) && [[ ${words[at]} == xtask ]]; then
        _xtask_complete cargo "${(@)words[at+1,CURRENT]}"
    else
        (( $+functions[_cargo] )) || autoload -Uz _cargo 2>/dev/null
        _cargo "$@"
    fi
}

compdef _xtask @name@
compdef _xtask_cargo cargo
