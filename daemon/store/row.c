/* Result rows into records, by the model's columns. Knows no statements' texts. */
#include "row.h"
#include "column.h"

/* Whoever wrote the row with two of a oneof set, only one could be told. */
static Code check_oneofs(const struct model *model, const ProtobufCMessage *record,
                         struct arena *scratch, struct fault *fault)
{
    for (size_t o = 0; o < model->n_oneofs; o++) {
        const struct column_list *oneof = &model->oneofs[o];
        const struct column *set = NULL;
        for (size_t i = 0; i < oneof->n; i++) {
            const struct column *column = oneof->columns[i];
            if (!field_present(record, column->field))
                continue;
            if (set)
                return fault_set(fault, HERO__V1__CODE__DATA_LOSS,
                                 "%s %s: a stored row does not fit its model: %s and %s are both "
                                 "set, and of the oneof %s one at most can be; correct the row "
                                 "with SQLite",
                                 model->name, model_key_text(model, record, scratch),
                                 set->field_name, column->field_name, oneof->name);
            set = column;
        }
    }
    return HERO__V1__CODE__OK;
}

Code row_fill(sqlite3_stmt *stmt, int first, const struct model *model, ProtobufCMessage *record,
              struct arena *arena, struct arena *scratch, struct fault *fault)
{
    for (size_t i = 0; i < model->n_columns; i++) {
        Code code =
            column_read(stmt, first + (int)i, &model->columns[i], record, arena, scratch, fault);
        if (code == HERO__V1__CODE__OK)
            continue;
        char *said = arena_strdup(scratch, fault && fault->message ? fault->message : "");
        if (code == HERO__V1__CODE__DATA_LOSS && i >= model->n_primary_key && said)
            fault_set(fault, code, "%s %s: %s", model->name, model_key_text(model, record, scratch),
                      said);
        return code;
    }
    return check_oneofs(model, record, scratch, fault);
}

Code row_read(sqlite3_stmt *stmt, int first, const struct model *model, struct arena *arena,
              ProtobufCMessage **ret_record, struct fault *fault)
{
    ProtobufCMessage *record = dynamic_message(arena, model->descriptor);
    if (!record)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the answer needs more memory than one request may take");
    Code code = row_fill(stmt, first, model, record, arena, arena, fault);
    if (code == HERO__V1__CODE__OK)
        *ret_record = record;
    return code;
}
