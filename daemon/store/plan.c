/*
 * The list of steps of a plan, and what all that plan need.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "plan.h"

Code plan_init(struct plan *plan, struct db *db, const struct models *served,
               const struct models *models, struct arena *arena, struct fault *fault)
{
    *plan =
        (struct plan){.arena = arena, .db = db, .served = served, .models = models, .fault = fault};
    arena_init(&plan->scratch, SCHEMA_ARENA_BYTES);
    plan->adopted = arena_array(arena, models->n_models + 1, sizeof(*plan->adopted));
    plan->suspect = arena_array(arena, models->n_models + 1, sizeof(*plan->suspect));
    return plan->adopted && plan->suspect ? HERO__V1__CODE__OK : plan_exhausted(plan);
}

void plan_done(struct plan *plan)
{
    rehearsal_close(&plan->rehearsal);
    arena_done(&plan->scratch);
}

Code plan_exhausted(struct plan *plan)
{
    return fault_set(plan->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory left for the plan; apply the models in smaller sets");
}

const char *plan_path(struct plan *plan, const struct model *model, const char *field)
{
    const char *path = arena_printf(plan->arena, "%s:%s%s%s", model->file, model->name,
                                    field ? "." : "", field ? field : "");
    return path ? path : "";
}

/* Room for one more in a list that is full at every power of two. */
static bool grow(struct arena *arena, void ***list, size_t n)
{
    if ((n & (n - 1)) != 0)
        return true;
    void **grown = arena_array(arena, n ? 2 * n : 1, sizeof(*grown));
    if (grown && n)
        memcpy(grown, *list, n * sizeof(*grown));
    if (grown)
        *list = grown;
    return grown != NULL;
}

struct plan_step *plan_step(struct plan *plan, const char *why, const char *format, ...)
{
    char what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    struct plan_step *step = arena_alloc(plan->arena, sizeof(*step));
    if (!step || !grow(plan->arena, (void ***)&plan->steps, plan->n_steps)) {
        (void)plan_exhausted(plan);
        return NULL;
    }
    hero__v1__step__init(&step->wire);
    step->wire.what = arena_strdup(plan->arena, what);
    step->wire.why = why && *why ? arena_strdup(plan->arena, why) : NULL;
    plan->steps[plan->n_steps++] = step;
    return step;
}

Code plan_sql(struct plan *plan, struct plan_step *step, const struct model *model, const char *sql)
{
    struct fault found = FAULT_INIT;
    if (!step || !sql || !grow(plan->arena, (void ***)&step->wire.sql, step->wire.n_sql) ||
        !grow(plan->arena, (void ***)&plan->ddl, plan->n_ddl))
        return plan_exhausted(plan);
    step->wire.sql[step->wire.n_sql++] = (char *)(uintptr_t)sql;
    plan->ddl[plan->n_ddl++] = (char *)(uintptr_t)sql;
    if (db_run(&plan->rehearsal.db, sql, &found) == HERO__V1__CODE__OK)
        return HERO__V1__CODE__OK;
    const char *text = sqlite3_errmsg(plan->rehearsal.db.handle);
    fault_add(plan->fault, plan_path(plan, model, NULL), "SQLite would not %s: %s",
              step->wire.what ? step->wire.what : "do it", text);
    fault_done(&found);
    return fault_set(plan->fault, HERO__V1__CODE__FAILED_PRECONDITION, "%s: SQLite would not %s",
                     plan_path(plan, model, NULL), step->wire.what ? step->wire.what : "do it");
}

void plan_loses(struct plan_step *step, const char *what, uint64_t rows)
{
    if (!step || rows == 0)
        return;
    step->wire.loses = (char *)(uintptr_t)what;
    step->wire.has_rows_lost = true;
    step->wire.rows_lost = rows;
    step->needs_leave = true;
}

const char *plan_summary(const struct plan *plan)
{
    const char *text = "";
    for (size_t i = 0; i < plan->n_steps && text; i++) {
        const Hero__V1__Step *step = &plan->steps[i]->wire;
        text = arena_printf(plan->arena, "%s%s%s%s%s", text, i > 0 ? "\n" : "", step->what,
                            step->loses ? ", losing what was in " : "",
                            step->loses ? step->loses : "");
    }
    return text ? text : "";
}

static bool is_allowed(const char *loses, char *const *allowed, size_t n_allowed)
{
    for (size_t i = 0; i < n_allowed; i++)
        if (allowed[i] && sqlite3_stricmp(allowed[i], loses) == 0)
            return true;
    return false;
}

Code plan_check_losses(struct plan *plan, char *const *allowed, size_t n_allowed)
{
    const char *names = NULL;
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct plan_step *step = plan->steps[i];
        if (!step->needs_leave || is_allowed(step->wire.loses, allowed, n_allowed))
            continue;
        fault_add(plan->fault, "allow_data_loss",
                  "to %s loses what %llu row%s hold%s in %s; allow it by that name",
                  step->wire.what, (unsigned long long)step->wire.rows_lost,
                  step->wire.rows_lost == 1 ? "" : "s", step->wire.rows_lost == 1 ? "s" : "",
                  step->wire.loses);
        names = arena_printf(plan->arena, "%s%s%s", names ? names : "", names ? ", " : "",
                             step->wire.loses);
    }
    if (plan->fault->code == HERO__V1__CODE__OK)
        return HERO__V1__CODE__OK;
    return fault_set(plan->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the change loses data that nobody allowed to be lost: %s",
                     names ? names : "");
}
