# shellcheck shell=sh disable=SC1112,SC2154
# Text prints as it is under any locale, and lines up.
apply_heroes
hero create team name=Bär 'headquarters=Sister Margaret’s Bar'
hero create team 'name=日本' headquarters=x
for locale in C POSIX C.UTF-8 en_US.ISO-8859-1 nosuch; do
    export LC_ALL=$locale
    for form in table csv json; do
        hero list team -o $form
    done
done
hero get team 'ü’'
