/*
 * Words of a filter. Generated from scan.re by re2c.
 *
 * The text is UTF-8 without NUL, as all text of requests; its end is a NUL.
 */
#include "tree.h"
#include "grammar.h"

static int found(struct filter_token *token, const char *start, const char *end, int word)
{
    *token = (struct filter_token){start, (unsigned)(end - start)};
    return word;
}

int filter_scan(struct filter_parse *parse, const char **at, struct filter_token *ret_token)
{
    const char *start, *marker;
    for (;;) {
        start = *at;
#define FOUND(word) return found(ret_token, start, *at, FILTER_##word)
        /*!re2c
            re2c:define:YYCTYPE = "unsigned char";
            re2c:define:YYCURSOR = "*at";
            re2c:define:YYMARKER = marker;
            re2c:define:YYPEEK = "*(const unsigned char *)*at";
            re2c:api = custom;
            re2c:api:style = free-form;
            re2c:define:YYSKIP = "++*at;";
            re2c:define:YYBACKUP = "marker = *at;";
            re2c:define:YYRESTORE = "*at = marker;";
            re2c:yyfill:enable = 0;

            name = [A-Za-z_][A-Za-z0-9_]*;
            digits = [0-9]+;
            escape = "\\" [^\x00];

            "\x00"          { *at = start; return found(ret_token, start, start, 0); }
            [ \t\r\n]+      { continue; }
            "AND"           { FOUND(AND); }
            "OR"            { FOUND(OR); }
            "NOT"           { FOUND(NOT); }
            "IN"            { FOUND(IN); }
            "IS"            { FOUND(IS); }
            "NULL"|"null"   { FOUND(NULL); }
            name            { FOUND(NAME); }
            "-"? digits     { FOUND(INTEGER); }
            "-"? digits ("." digits ([eE] [+-]? digits)? | [eE] [+-]? digits)
                            { FOUND(REAL); }
            ["] (escape | [^"\\\x00])* ["]  { FOUND(TEXT); }
            ['] (escape | [^'\\\x00])* [']  { FOUND(TEXT); }
            ["']            {
                filter_blame(parse, start, "a text begins here and does not end: %c is missing",
                             *start);
                return -1;
            }
            "="             { FOUND(EQUAL); }
            "!="            { FOUND(UNEQUAL); }
            "<="            { FOUND(LESS_EQUAL); }
            "<"             { FOUND(LESS); }
            ">="            { FOUND(GREATER_EQUAL); }
            ">"             { FOUND(GREATER); }
            ":"             { FOUND(HAS); }
            "("             { FOUND(OPEN); }
            ")"             { FOUND(CLOSE); }
            ","             { FOUND(COMMA); }
            "."             { FOUND(DOT); }
            *               {
                if (*start == '&' || *start == '|' || *start == '!')
                    filter_blame(parse, start, "%c means nothing here: write AND, OR, NOT", *start);
                else
                    filter_blame(parse, start, "no word begins with this character");
                return -1;
            }
        */
    }
}
