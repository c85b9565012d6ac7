/*
 * Records printed page by page: what list and related have in common.
 */
#ifndef HERO_CLI_PAGING_H
#define HERO_CLI_PAGING_H

#include "output.h"

/* Asks for one page; NULL: context->error. */
typedef hero_request *paging_ask(struct context *context, const hero_list *list);

#define PAGING_OPTIONS                                                                             \
    (OPTION_ORDER_BY | OPTION_LIMIT | OPTION_PAGE_TOKEN | OPTION_ALL | OPTION_EXPAND |             \
     OPTION_FILTER | OPTION_COUNT | OPTION_FIELDS)

/* What the options ask of a list. */
hero_list paging_list(const struct arguments *arguments);
/* All pages that the options ask for, of records of the model. The exit code. */
int paging_run(struct context *context, const char *model, paging_ask *ask);

#endif
