/*
 * heroctl related: the related records of one record, page by page.
 */
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "paging.h"
#include "schema.h"

static hero_request *ask(struct context *context, const hero_list *list)
{
    char **operands = context->arguments.operands;

    return hero_request_list_related_json(context->client, operands[0], operands[1], operands[2],
                                          list, &context->error);
}

/* The model of the related records; where there is none the daemon tells. */
static int find_target(struct context *context, char **ret_name)
{
    const char *const *operands = (const char *const *)context->arguments.operands;
    struct models *models;
    const struct model *model;
    int result = schema_fetch(context, &models);

    if (result)
        return result;
    result = schema_find(context, models, operands[0], &model);
    if (!result) {
        const struct relationship *relationship = model_relationship(model, operands[2]);
        *ret_name = strdup(relationship ? relationship->target->name : operands[0]);
        if (!*ret_name)
            result = report_local(context, "out of memory");
    }
    models_unref(models);
    return result;
}

static int run(struct context *context)
{
    char *name = NULL;

    if (!context_connect(context))
        return report_error(context);
    int result = find_target(context, &name);
    if (!result)
        result = paging_run(context, name, ask);
    free(name);
    return result;
}

const struct command command_related = {
    .name = "related",
    .operands = "MODEL KEY RELATIONSHIP",
    .help = "Print the related records of one record, page by page",
    .details =
        "In --filter and --order-by link.NAME is a field of the link model. The page token of\n"
        "a list that was cut in another answer (\"@teams\") is taken, too.\n",
    .example = "  heroctl related team 1 heroes --filter 'age IS NOT NULL' --order-by name\n"
               "  heroctl related hero 3 teams --count --limit 5\n",
    .options = PAGING_OPTIONS,
    .n_operands_min = 3,
    .n_operands_max = 3,
    .run = run,
};
