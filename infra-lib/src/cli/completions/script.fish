# Completes `cargo xtask` and `@name@`. To load it:  cargo xtask completions fish | source

# The words after `xtask`; the last one is being typed.
function __xtask_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l program @program@
    # Whatever runs here must be the user's; the program that printed this script knows which one is meant.
    test -O $program -a -x $program; or return 0
    if test (basename $words[1]) = cargo
        set program ($program __completer cargo 2>/dev/null)
        set -e words[1]
        string match -q '+*' -- $words[1]; and set -e words[1]
    else
        set program ($program __completer (command -s -- (string replace -r '^~/' $HOME/ -- $words[1])) 2>/dev/null)
    end
    test -n "$program"; or return 0
    set -e words[1]
    for line in ($program __complete $words "$typed" 2>/dev/null)
        switch $line
            case :dirs
                __fish_complete_directories $typed
            case :files
                __fish_complete_path $typed
            case '*'
                echo $line
        end
    end
end

function __xtask_is_meant
    set -l words (commandline -opc)
    set -e words[1]
    string match -q '+*' -- $words[1]; and set -e words[1]
    test "$words[1]" = xtask
end

complete -c cargo -n __xtask_is_meant -f -a '(__xtask_complete)'
complete -c @name@ -f -a '(__xtask_complete)'
