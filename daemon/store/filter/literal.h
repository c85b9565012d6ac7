/*
 * Literals of filters: values of a column, from the words that stand for them.
 */
#ifndef HERO_STORE_FILTER_LITERAL_H
#define HERO_STORE_FILTER_LITERAL_H

#include "key_table.h"
#include "model.h"
#include "tree.h"

/* The text in the quotes of a literal, without escapes; in the arena. NULL: told. */
char *literal_text(struct filter_parse *parse, const struct filter_node *node);
/* The value of a literal, true, false or an enum's name. */
MUST_CHECK Code literal_value(struct filter_parse *parse, const struct filter_node *node,
                              const struct column *column, struct key_value *ret_value);
/* A whole number that is no column's: what count() is compared with. */
MUST_CHECK Code literal_count(struct filter_parse *parse, const struct filter_node *node,
                              struct key_value *ret_value);

#endif
