/*
 * The shape of an existing table: pragma table_list, table_xinfo, index_list,
 * index_xinfo and foreign_key_list, read into an arena.
 */
#include <string.h>
#include "internal.h"
#include "shape.h"

/* A query with one text bound, and the list its rows become. */
struct reader {
    struct db *db;
    struct arena *arena;
    struct fault *fault;
    sqlite3_stmt *stmt;
};

static Code exhausted(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory left for the shape of the tables");
}

static Code start(struct reader *reader, const char *sql, const char *name)
{
    reader->stmt = db_prepare(reader->db, sql, reader->fault);
    if (!reader->stmt)
        return reader->fault->code;
    sqlite3_bind_text(reader->stmt, 1, name, -1, SQLITE_STATIC);
    return HERO__V1__CODE__OK;
}

/* OK with *ret_row false at the end. */
static Code next(struct reader *reader, bool *ret_row)
{
    int rc = db_step(reader->db, reader->stmt);
    *ret_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return HERO__V1__CODE__OK;
    return db_fault(reader->db, rc, reader->fault, "reading the schema");
}

static void finish(struct reader *reader)
{
    db_release(reader->db, reader->stmt);
    reader->stmt = NULL;
}

static const char *text_at(struct reader *reader, int index)
{
    return arena_strdup(reader->arena, (const char *)sqlite3_column_text(reader->stmt, index));
}

/* Room for one element more. */
static void *grow(struct reader *reader, void *elements, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) /* room until the next power of two */
        return elements;
    void *larger = arena_array(reader->arena, n == 0 ? 1 : 2 * n, size);
    if (larger && n > 0)
        memcpy(larger, elements, n * size);
    return larger;
}

static Code read_columns(struct reader *reader, const char *table, struct shape *shape)
{
    Code code = start(reader,
                      "SELECT name, type, \"notnull\", dflt_value, pk, hidden "
                      "FROM pragma_table_xinfo(?1) ORDER BY cid",
                      table);
    bool row = false;
    while (code == HERO__V1__CODE__OK && (code = next(reader, &row)) == HERO__V1__CODE__OK && row) {
        shape->columns = grow(reader, shape->columns, shape->n_columns, sizeof(*shape->columns));
        if (!shape->columns)
            code = exhausted(reader->fault);
        else
            shape->columns[shape->n_columns++] = (struct shape_column){
                .name = text_at(reader, 0),
                .type = text_at(reader, 1),
                .not_null = sqlite3_column_int(reader->stmt, 2) != 0,
                .default_sql = text_at(reader, 3),
                .key = sqlite3_column_int(reader->stmt, 4),
                .hidden = sqlite3_column_int(reader->stmt, 5),
            };
    }
    finish(reader);
    return code;
}

/* The pragmas do not tell the collation of a column. */
static Code read_collations(struct reader *reader, const char *table, struct shape *shape)
{
    for (size_t i = 0; i < shape->n_columns; i++) {
        const char *collation = NULL;
        int rc =
            sqlite3_table_column_metadata(reader->db->handle, "main", table, shape->columns[i].name,
                                          NULL, &collation, NULL, NULL, NULL);
        if (rc != SQLITE_OK && shape->columns[i].hidden == 0)
            return db_fault(reader->db, rc, reader->fault, "reading the schema");
        shape->columns[i].collation = arena_strdup(reader->arena, collation ? collation : "BINARY");
    }
    return HERO__V1__CODE__OK;
}

static Code read_index_columns(struct reader *reader, struct shape_index *index)
{
    Code code =
        start(reader, "SELECT name, coll FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno",
              index->name);
    bool row = false;
    while (code == HERO__V1__CODE__OK && (code = next(reader, &row)) == HERO__V1__CODE__OK && row) {
        size_t n = index->n_columns;
        index->columns = grow(reader, index->columns, n, sizeof(*index->columns));
        index->binary = grow(reader, index->binary, n, sizeof(*index->binary));
        if (!index->columns || !index->binary) {
            code = exhausted(reader->fault);
            break;
        }
        const char *collation = (const char *)sqlite3_column_text(reader->stmt, 1);
        index->columns[n] = text_at(reader, 0);
        index->binary[n] = !collation || sqlite3_stricmp(collation, "BINARY") == 0;
        index->n_columns++;
    }
    finish(reader);
    return code;
}

static Code read_indexes(struct reader *reader, const char *table, struct shape *shape)
{
    Code code = start(reader,
                      "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1) "
                      "ORDER BY seq",
                      table);
    bool row = false;
    while (code == HERO__V1__CODE__OK && (code = next(reader, &row)) == HERO__V1__CODE__OK && row) {
        shape->indexes = grow(reader, shape->indexes, shape->n_indexes, sizeof(*shape->indexes));
        if (!shape->indexes) {
            code = exhausted(reader->fault);
            break;
        }
        const char *origin = (const char *)sqlite3_column_text(reader->stmt, 2);
        shape->indexes[shape->n_indexes++] = (struct shape_index){
            .name = text_at(reader, 0),
            .unique = sqlite3_column_int(reader->stmt, 1) != 0,
            .is_key = origin && strcmp(origin, "pk") == 0,
            .partial = sqlite3_column_int(reader->stmt, 3) != 0,
        };
    }
    finish(reader);
    for (size_t i = 0; i < shape->n_indexes && code == HERO__V1__CODE__OK; i++)
        code = read_index_columns(reader, &shape->indexes[i]);
    return code;
}

static Code read_foreign_keys(struct reader *reader, const char *table, struct shape *shape)
{
    /* REFERENCES t without columns: the primary key, in the key's own order. */
    Code code =
        start(reader,
              "SELECT id, seq, f.\"table\", f.\"from\", coalesce(f.\"to\", "
              "(SELECT p.name FROM pragma_table_info(f.\"table\") p WHERE p.pk = seq + 1)), "
              "on_update, on_delete FROM pragma_foreign_key_list(?1) f ORDER BY id, seq",
              table);
    bool row = false;
    while (code == HERO__V1__CODE__OK && (code = next(reader, &row)) == HERO__V1__CODE__OK && row) {
        shape->foreign_keys =
            grow(reader, shape->foreign_keys, shape->n_foreign_keys, sizeof(*shape->foreign_keys));
        if (!shape->foreign_keys)
            code = exhausted(reader->fault);
        else
            shape->foreign_keys[shape->n_foreign_keys++] = (struct shape_foreign_key){
                .id = sqlite3_column_int(reader->stmt, 0),
                .place = sqlite3_column_int(reader->stmt, 1),
                .table = text_at(reader, 2),
                .from = text_at(reader, 3),
                .to = text_at(reader, 4),
                .on_update = text_at(reader, 5),
                .on_delete = text_at(reader, 6),
            };
    }
    finish(reader);
    return code;
}

static Code read_kind(struct reader *reader, const char *table, struct shape *shape)
{
    Code code = start(reader,
                      "SELECT type, name, wr FROM pragma_table_list(?1) "
                      "WHERE schema = 'main'",
                      table);
    bool row = false;
    if (code == HERO__V1__CODE__OK)
        code = next(reader, &row);
    if (row) {
        shape->kind = text_at(reader, 0);
        shape->name = text_at(reader, 1);
        shape->without_rowid = sqlite3_column_int(reader->stmt, 2) != 0;
    }
    finish(reader);
    return code;
}

Code shape_read(struct db *db, const char *table, struct arena *arena, struct shape *ret_shape,
                struct fault *fault)
{
    struct reader reader = {db, arena, fault, NULL};
    struct shape shape = {0};
    Code code = read_kind(&reader, table, &shape);
    bool is_table = shape.kind && strcmp(shape.kind, "table") == 0;
    bool is_view = shape.kind && strcmp(shape.kind, "view") == 0;
    if (code == HERO__V1__CODE__OK && (is_table || is_view))
        code = read_columns(&reader, table, &shape);
    if (code == HERO__V1__CODE__OK && is_table) {
        if (code == HERO__V1__CODE__OK)
            code = read_collations(&reader, table, &shape);
        if (code == HERO__V1__CODE__OK)
            code = read_indexes(&reader, table, &shape);
        if (code == HERO__V1__CODE__OK)
            code = read_foreign_keys(&reader, table, &shape);
    }
    if (code == HERO__V1__CODE__OK && arena->exhausted)
        code = exhausted(fault);
    if (code == HERO__V1__CODE__OK)
        *ret_shape = shape;
    return code;
}

Code shape_kind_of_name(struct db *db, const char *name, struct arena *arena, const char **ret_kind,
                        struct fault *fault)
{
    struct reader reader = {db, arena, fault, NULL};
    const char *kind = NULL;
    bool row = false;
    Code code = start(&reader,
                      "SELECT type FROM sqlite_schema "
                      "WHERE type <> 'trigger' AND name = ?1 COLLATE NOCASE",
                      name);
    if (code == HERO__V1__CODE__OK)
        code = next(&reader, &row);
    if (row && !(kind = text_at(&reader, 0)))
        code = exhausted(fault);
    finish(&reader);
    if (code == HERO__V1__CODE__OK)
        *ret_kind = kind;
    return code;
}
