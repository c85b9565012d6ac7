/*
 * Rows of models, read: the columns of a result row become a record. For
 * reads and writes alike.
 */
#ifndef HERO_STORE_ROW_H
#define HERO_STORE_ROW_H

#include <sqlite3.h>
#include "model.h"

/* Result columns from `first` on, in the model's order, into a record of the
 * arena. DATA_LOSS where a value doesn't fit, naming the key. */
MUST_CHECK Code row_read(sqlite3_stmt *stmt, int first, const struct model *model,
                         struct arena *arena, ProtobufCMessage **ret_record, struct fault *fault);
/* Into a record that is there already; with arena NULL its text is borrowed
 * from the row. `scratch` is for the fault's text. */
MUST_CHECK Code row_fill(sqlite3_stmt *stmt, int first, const struct model *model,
                         ProtobufCMessage *record, struct arena *arena, struct arena *scratch,
                         struct fault *fault);

#endif
