/*
 * Reads tables and views: shapes by pragmas, the rest from their CREATE TABLE.
 * What can't become a model is left out, with its reason.
 */
#include <string.h>
#include "infer.h"
#include "names.h"

/* What a set of models takes (proto/model_internal.h). */
#define MOST_TABLES 2000
#define MOST_COLUMNS 1000
#define MOST_KEY_COLUMNS 8

static Code add_table(struct infer *infer, sqlite3_stmt *stmt)
{
    const char *kind = (const char *)sqlite3_column_text(stmt, 1);
    const char *name = (const char *)sqlite3_column_text(stmt, 0);
    if (!kind || !name || strcmp(kind, "shadow") == 0 || sqlite3_strnicmp(name, "sqlite_", 7) == 0)
        return HERO__V1__CODE__OK;
    if (sqlite3_strnicmp(name, "_hero_", 6) == 0)
        return HERO__V1__CODE__OK; /* Hero's own */
    infer->tables =
        infer_grown(infer->arena, infer->tables, infer->n_tables, sizeof(*infer->tables));
    if (!infer->tables)
        return infer_no_memory(infer);
    struct infer_table *table = &infer->tables[infer->n_tables++];
    memset(table, 0, sizeof(*table));
    table->shape.kind = arena_strdup(infer->arena, kind);
    table->shape.name = arena_strdup(infer->arena, name);
    table->without_rowid = sqlite3_column_int(stmt, 2) != 0;
    table->is_strict = sqlite3_column_int(stmt, 3) != 0;
    table->is_view = strcmp(kind, "view") == 0;
    return table->shape.name && table->shape.kind ? HERO__V1__CODE__OK : infer_no_memory(infer);
}

/* Tables in the order they were made in, then views. */
static Code list_tables(struct infer *infer)
{
    struct db *db = infer->db;
    sqlite3_stmt *stmt =
        db_prepare(db,
                   "SELECT t.name, t.type, t.wr, t.strict FROM pragma_table_list t "
                   "JOIN sqlite_schema s ON s.name = t.name AND s.type IN ('table', 'view') "
                   "WHERE t.schema = 'main' ORDER BY t.type = 'view', s.rowid",
                   infer->fault);
    if (!stmt)
        return infer->fault->code;
    Code code = HERO__V1__CODE__OK;
    int rc = SQLITE_DONE;
    while (code == HERO__V1__CODE__OK && (rc = db_step(db, stmt)) == SQLITE_ROW) {
        if (infer->n_tables == MOST_TABLES) {
            infer_say(infer, &infer->comments,
                      "There are more tables than %d, the most that a set of models takes.",
                      MOST_TABLES);
            rc = SQLITE_DONE;
            break;
        }
        code = add_table(infer, stmt);
    }
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = db_fault(db, rc, infer->fault, "reading the schema");
    db_release(db, stmt);
    return code;
}

static Code read_create(struct infer *infer, struct infer_table *table)
{
    struct db *db = infer->db;
    sqlite3_stmt *stmt = db_prepare(
        db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", infer->fault);
    if (!stmt)
        return infer->fault->code;
    sqlite3_bind_text(stmt, 1, table->shape.name, -1, SQLITE_STATIC);
    bool read = true;
    if (db_step(db, stmt) == SQLITE_ROW)
        read = create_table_read((const char *)sqlite3_column_text(stmt, 0), infer->arena,
                                 &table->create);
    db_release(db, stmt);
    return read ? HERO__V1__CODE__OK : infer_no_memory(infer);
}

static Code read_columns(struct infer *infer, struct infer_table *table)
{
    const struct shape *shape = &table->shape;
    table->columns = arena_array(infer->arena, shape->n_columns + 1, sizeof(*table->columns));
    table->key = arena_array(infer->arena, shape->n_columns + 1, sizeof(*table->key));
    if (!table->columns || !table->key)
        return infer_no_memory(infer);
    for (size_t i = 0; i < shape->n_columns; i++) {
        struct infer_column *column = &table->columns[table->n_columns++];
        column->shape = &shape->columns[i];
        column->primary_key = column->shape->key > 0;
        column->not_null = column->shape->not_null;
        column->read_only = column->shape->hidden != 0;
    }
    /* Key columns in the order of the key. */
    for (int place = 1; place <= (int)table->n_columns; place++)
        for (size_t i = 0; i < table->n_columns; i++)
            if (table->columns[i].shape->key == place)
                table->key[table->n_key++] = &table->columns[i];
    if (table->n_key == 1)
        table->key[0]->autoincrement = table->create.autoincrement;
    return HERO__V1__CODE__OK;
}

/* Without a primary key: columns that are unique and NOT NULL tell rows apart as well. */
static void find_key(struct infer *infer, struct infer_table *table)
{
    const char *list = NULL;
    for (size_t i = 0; i < table->shape.n_indexes && !table->key_index; i++) {
        const struct shape_index *index = &table->shape.indexes[i];
        bool whole = index->unique && infer_is_ordinary(index);
        for (size_t k = 0; whole && k < index->n_columns; k++)
            whole = infer_column_named(table, index->columns[k])->not_null;
        if (whole)
            table->key_index = index;
    }
    for (size_t k = 0; table->key_index && k < table->key_index->n_columns; k++) {
        const char *name = table->key_index->columns[k];
        table->key[table->n_key] = infer_column_named(table, name);
        table->key[table->n_key++]->primary_key = true;
        list = arena_printf(infer->arena, "%s%s%s", list ? list : "", list ? ", " : "", name);
    }
    if (list)
        infer_say(infer, &table->comments,
                  "It has no primary key; (%s), unique and never NULL, serves as one.", list);
}

/* Why there can be no model of it. */
static const char *refused(struct infer *infer, const struct infer_table *table)
{
    const char *why = name_refused(table->shape.name);
    if (strcmp(table->shape.kind, "virtual") == 0)
        return "it is a virtual table";
    if (why)
        return arena_printf(infer->arena, "its name can't be a model's table: %s", why);
    if (table->n_columns > MOST_COLUMNS)
        return "it has more columns than 1000";
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *name = table->columns[i].shape->name;
        if (name && (why = name_refused(name)) != NULL)
            return arena_printf(infer->arena, "the name of its column %zu can't be a column's: %s",
                                i + 1, why);
    }
    if (table->n_key > MOST_KEY_COLUMNS)
        return "its primary key has more columns than 8";
    if (table->n_key == 0 && !table->is_view)
        return "it has no primary key, so its rows can't be told apart";
    return NULL;
}

/* Of a view that SQLite can't make sense of, and of virtual tables whose
 * module is not there, only the name is known. */
static Code read_table(struct infer *infer, struct infer_table *table)
{
    struct fault own = FAULT_INIT;
    struct shape shape = table->shape;
    Code code = HERO__V1__CODE__OK;
    if (strcmp(shape.kind, "virtual") != 0)
        code = shape_read(infer->db, shape.name, infer->arena, &shape, &own);
    if (code != HERO__V1__CODE__OK && table->is_view) {
        table->left_out = arena_printf(infer->arena, "SQLite can't read it (%s)",
                                       own.message ? own.message : "no reason given");
        code = HERO__V1__CODE__OK;
    } else if (code == HERO__V1__CODE__OK) {
        table->shape = shape;
    } else {
        fault_set(infer->fault, code, "%s", own.message ? own.message : "reading the schema");
    }
    fault_done(&own);
    if (code == HERO__V1__CODE__OK && !table->is_view)
        code = read_create(infer, table);
    if (code == HERO__V1__CODE__OK)
        code = read_columns(infer, table);
    if (code == HERO__V1__CODE__OK && table->n_key == 0 && !table->is_view)
        find_key(infer, table);
    if (!table->left_out)
        table->left_out = refused(infer, table);
    return code;
}

Code infer_read(struct infer *infer)
{
    Code code = list_tables(infer);
    for (size_t i = 0; i < infer->n_tables && code == HERO__V1__CODE__OK; i++)
        code = read_table(infer, &infer->tables[i]);
    return code;
}
