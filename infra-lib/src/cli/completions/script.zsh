#compdef @name@
# Completes `cargo xtask` and `@name@`. To load it, after compinit:  source <(cargo xtask completions zsh)

# The program that this checkout has built; an older one will do for completing.
_xtask_program() {
    local dir=$PWD profile
    while true; do
        for profile in debug release; do
            for REPLY in ${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/$profile/@name@} ${dir%/}/target/$profile/@name@; do
                [[ -x $REPLY ]] && return 0
            done
        done
        [[ $dir == / ]] && break
        dir=${dir:h}
    done
    REPLY=@program@
    [[ -x $REPLY ]]
}

# Takes the words after `xtask`; the last one is being typed.
_xtask_complete() {
    local REPLY line
    local -a described suffix
    _xtask_program || return 1
    for line in "${(@f)$("$REPLY" __complete "$@" 2>/dev/null)}"; do
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
    _xtask_complete "${(@)words[2,CURRENT]}"
}

# Everything but `cargo xtask` is left to Cargo's own completion.
_xtask_cargo() {
    local at=2
    [[ ${words[2]} == +* ]] && at=3
    if (( CURRENT > at )) && [[ ${words[at]} == xtask ]]; then
        _xtask_complete "${(@)words[at+1,CURRENT]}"
    else
        (( $+functions[_cargo] )) || autoload -Uz _cargo 2>/dev/null
        _cargo "$@"
    fi
}

compdef _xtask @name@
compdef _xtask_cargo cargo
