/* Result rows into records, by the model's columns. Knows no statements' texts. */
#include "row.h"
#include "column.h"

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
    return HERO__V1__CODE__OK;
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
