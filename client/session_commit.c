/*
 * Committing: a plan is made, sent as one request and its answer taken in. A
 * commit whose outcome is unknown is kept as it was packed, with its seq, and
 * repeated by the next one before anything else.
 */
#include <stdatomic.h>
#include "error.h"
#include "request.h"
#include "session_plan.h"

/* Sends the plan, or sends it again. On failure the session is as it was. */
static Code send_plan(hero_session *session, struct session_plan *plan, hero_outcome *ret_outcome,
                      struct fault *fault)
{
    hero_result *result = request_commit(session->client, plan->packed, plan->bindings, &plan->seq,
                                         ret_outcome, fault);
    Code code;

    if (!result) {
        session_blame(plan, fault);
        return fault->code;
    }
    *ret_outcome = HERO_DONE;
    code = session_take_answer(session, plan, result->commit, fault);
    hero_result_free(result);
    return code;
}

/* Sends a plan; it is freed, or kept where its outcome is unknown. */
static Code run_plan(hero_session *session, struct session_plan *plan, hero_outcome *ret_outcome,
                     struct fault *fault)
{
    Code code = send_plan(session, plan, ret_outcome, fault);

    if (code && *ret_outcome == HERO_OUTCOME_UNKNOWN) {
        session->pending = plan;
        return code;
    }
    session->pending = NULL;
    session_plan_free(plan);
    return code;
}

/* Has the daemon told that it serves other models than these? */
static bool is_stale(const hero_session *session, const struct bindings *bindings)
{
    return atomic_load(&session->client->models_version) != bindings_models(bindings)->version;
}

/* One plan with the models as they are. *ret_again: it was refused, and the
 * models have changed since. */
static Code commit_once(hero_session *session, bool *ret_again, hero_outcome *ret_outcome,
                        struct fault *fault)
{
    struct bindings *bindings = NULL;
    struct session_plan *plan = NULL;
    Code code = session_bindings(session, &bindings, fault);

    if (!code)
        code = session_plan_new(session, bindings, &plan, fault);
    if (!code && plan)
        code = run_plan(session, plan, ret_outcome, fault);
    *ret_again = code && *ret_outcome == HERO_REFUSED && is_stale(session, bindings);
    bindings_unref(bindings);
    return code;
}

static Code commit(hero_session *session, hero_outcome *ret_outcome, struct fault *fault)
{
    bool again = false;
    Code code = HERO__V1__CODE__OK;

    if (session->pending)
        code = run_plan(session, session->pending, ret_outcome, fault);
    if (code || !session->n_records)
        return code;
    *ret_outcome = HERO_NOT_SENT;
    code = commit_once(session, &again, ret_outcome, fault);
    if (again) {
        fault_done(fault);
        *ret_outcome = HERO_NOT_SENT;
        code = commit_once(session, &again, ret_outcome, fault);
    }
    return code;
}

hero_code hero_session_commit(hero_session *session, hero_error *error)
{
    hero_outcome outcome = HERO_NOT_SENT;
    struct fault fault = FAULT_INIT;

    (void)commit(session, &outcome, &fault);
    return error_give(error, &fault, outcome);
}

/* ---- dry runs ---- */

/* What a commit would send now, and whether it would be taken. */
static Code validate(hero_session *session, hero_outcome *ret_outcome, struct fault *fault)
{
    struct bindings *bindings = NULL;
    struct session_plan *plan = NULL;
    Code code = session_check_settled(session, fault);

    if (!code)
        code = session_bindings(session, &bindings, fault);
    if (!code)
        code = session_plan_new(session, bindings, &plan, fault);
    if (!code && plan)
        code = request_validate(session->client, plan->packed, bindings, ret_outcome, fault);
    if (code && plan)
        session_blame(plan, fault);
    session_plan_free(plan);
    bindings_unref(bindings);
    return code;
}

hero_code hero_session_validate(hero_session *session, hero_error *error)
{
    hero_outcome outcome = HERO_NOT_SENT;
    struct fault fault = FAULT_INIT;

    (void)validate(session, &outcome, &fault);
    return error_give(error, &fault, outcome);
}
