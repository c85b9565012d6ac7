# shellcheck shell=sh disable=SC1112,SC2154
# Keys of text and of several columns, every scalar type, odd names.
apply_library

note "Text keys, two relationships to one model, one declared on one side."
hero create author handle=wade 'full_name=Wade Wilson'
hero create book - -o json <<'END'
{"title": "One", "price": 9.99, "authors": [{"handle": "wade"}],
 "editors": [{"handle": "a b,c", "full_name": "Odd"}, {"@connect": {"handle": "wade", "full_name": "?"}}],
 "tags": [{"@connect": {"name": "sci fi"}}, {"@connect": {"name": "ü"}}]}
END
hero create book '{"title": "Lost", "tags": [{"name": "nosuch"}]}'
hero get book 1 --expand authors,editors,tags
hero get book 1 --expand authors --expand tags -o csv
hero get author wade 'a b,c' --expand edited.editors,books
hero get order ü -o json
hero list tag
hero unlink book 1 editors 'a b,c'
hero link author wade edited 1
hero models order

note "Keys of several columns."
hero create copy branch=north shelf=3 book_id=1
hero create copy '{"branch": "south, lower", "shelf": -1, "book_id": 1}' -o json
hero get copy north,3 '["south, lower", -1]'
hero get copy '{"branch": "north", "shelf": 3}' -o json
hero update copy north,3 book_id=1 -o jsonl
hero get copy north
hero get copy north,3,4
hero get copy north,x
hero list copy --order-by shelf -o csv
hero delete copy '["south, lower", -1]'
hero get authorship wade,1

note "A row that others refer to stays."
hero delete book 1

note "Every scalar type."
hero create scalars a_int32=-2147483648 a_sint32=-1 a_sfixed32=2147483647 a_uint32=4294967295 \
    a_fixed32=0 a_int64=-9223372036854775808 a_sint64=-1 a_sfixed64=9223372036854775807 \
    a_uint64=9223372036854775807 a_fixed64=1 a_float=0.1 a_double=0.1 a_bool=true \
    "a_string=$(printf 'tab\there\nline \033[31m')" a_bytes=AP8=
hero get scalars 1 -o json
hero get scalars 1 -o csv
hero create scalars a_bool=false a_string= a_bytes= a_double=1e300 a_float=16777216 -o jsonl
hero get scalars 2
hero create scalars '{}'
hero get scalars 3 -o csv

note "What a column can't hold."
hero create scalars a_int32=2147483648
hero create scalars a_uint32=-1
hero create scalars a_int64=1.5
hero create scalars a_uint64=9223372036854775808
hero create scalars a_bool=maybe
hero create scalars a_bytes=%
hero create scalars a_double=nan
hero create scalars a_int64=
hero create scalars '{"a_string": "\u0000"}'
hero create scalars '{"a_int64": 99999999999999999999}'
hero list scalars --order-by a_double -o csv
