# Completes `cargo xtask` and `@name@`. To load it:  cargo xtask completions fish | source

# The program that this checkout has built; an older one will do for completing.
function __xtask_program
    set -l dir $PWD
    while true
        for target in $CARGO_TARGET_DIR (string trim -r -c / $dir)/target
            for profile in debug release
                if test -x $target/$profile/@name@
                    echo $target/$profile/@name@
                    return 0
                end
            end
        end
        test "$dir" = /; and break
        set dir (dirname $dir)
    end
    test -x @program@; and echo @program@
end

# The words after `xtask`; the last one is being typed.
function __xtask_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    if test (basename $words[1]) = cargo
        set -e words[1]
        string match -q '+*' -- $words[1]; and set -e words[1]
    end
    set -e words[1]
    set -l program (__xtask_program); or return 0
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
