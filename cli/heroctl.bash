# bash completion for heroctl: commands, options, models, relationships.
_heroctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local commands='apply infer remove models create get list related count explain update upsert delete link unlink set-links call status'
    local options='--url --output --timeout --echo --help --version'
    local command='' operands=() i

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -o | --output | --timeout | --url | -I | --include | --expand | --order-by | --limit | \
            --page-token | --null | --etag | --by | --on-conflict | --filter | --fields | --set | \
            --allow-data-loss | --expected-version) ((i++)) ;;
        -*) ;;
        *) if [[ $command ]]; then operands+=("${COMP_WORDS[i]}"); else command=${COMP_WORDS[i]}; fi ;;
        esac
    done
    case $command in
    apply) options+=' --plan --include --allow-data-loss --expected-version --set' ;;
    models) options+=' --sql --proto --history --diff' ;;
    set-links) options+=' --set --etag --validate-only' ;;
    create | unlink) options+=' --validate-only' ;;
    link) options+=' --set --validate-only' ;;
    get) options+=' --expand --etags' ;;
    list) options+=' --filter --fields --count --expand --order-by --limit --page-token --all --etags' ;;
    related) options+=' --filter --fields --count --expand --order-by --limit --page-token --all' ;;
    count) options+=' --filter --by --limit' ;;
    explain) options+=' --filter --fields --count --expand --order-by --limit --page-token' ;;
    update) options+=' --null --etag --etags --validate-only' ;;
    upsert) options+=' --null --by --on-conflict --etags --validate-only' ;;
    delete) options+=' --etag --validate-only' ;;
    esac

    COMPREPLY=()
    case $prev in
    -o | --output) mapfile -t COMPREPLY < <(compgen -W 'table json jsonl csv' -- "$cur") && return ;;
    -I | --include) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
    --on-conflict) mapfile -t COMPREPLY < <(compgen -W 'update ignore fail' -- "$cur") && return ;;
    --url | --timeout | --expand | --order-by | --limit | --page-token | --filter | --fields | --null | --etag | --by | --set) return ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    elif [[ ! $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
    elif [[ $command == apply || $command == infer ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    elif [[ $command == call && ${#operands[@]} -eq 0 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(heroctl call --help |
            sed -n 's/^  \([A-Z][A-Za-z]*\/[A-Za-z]*\) .*/\1/p')" -- "$cur")
    elif [[ $command != status && $command != call && ${#operands[@]} -eq 0 ]]; then
        # Table names; nothing when no daemon answers.
        mapfile -t COMPREPLY < <(compgen -W "$(heroctl --timeout 1 models -o csv 2>/dev/null |
            tail -n +2 | cut -d, -f2)" -- "$cur")
    elif [[ $command == *link* && ${#operands[@]} -eq 2 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(heroctl --timeout 1 models "${operands[0]}" -o csv \
            2>/dev/null | sed -n 's/,relationship,.*//p')" -- "$cur")
    fi
}
complete -F _heroctl heroctl
