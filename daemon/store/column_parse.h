/*
 * Values that were written as text (in a filter): one function for each way
 * of writing. The table of kinds in column.c says which is whose.
 */
#ifndef HERO_STORE_COLUMN_PARSE_H
#define HERO_STORE_COLUMN_PARSE_H

#include "column.h"

typedef Code column_parse_function(const struct column *column, const char *text,
                                   struct arena *arena, struct key_value *ret_value,
                                   struct fault *fault);

column_parse_function column_parse_integer, column_parse_real, column_parse_bool, column_parse_text,
    column_parse_bytes;

#endif
