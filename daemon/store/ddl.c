/*
 * DDL: CREATE TABLE and CREATE INDEX of a model, exactly as SQLAlchemy 1.4
 * writes them for the same SQLModel class.
 *
 * One index more than SQLModel: each link table gets one that leads with its
 * second key column; without it one of the two directions is a full scan.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "column.h"
#include "ddl.h"
#include "names.h"
#include "store.h"

static void put_quoted_text(FILE *out, const uint8_t *text, size_t len)
{
    fputc('\'', out);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'')
            fputc('\'', out);
        fputc(text[i], out);
    }
    fputc('\'', out);
}

static void put_real(FILE *out, double number)
{
    char text[40];
    if (isinf(number)) {
        fputs(number > 0 ? "'9e999'" : "'-9e999'", out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    fprintf(out, "'%s'", text);
}

/* A quoted literal, as SQLAlchemy renders a server_default: the column's
 * affinity makes an integer or real of it. Bytes have none and need X''. */
static void put_default(FILE *out, const struct column *column)
{
    const ProtobufCBinaryData *bytes = &column->default_bytes;
    switch (column->default_kind) {
    case DEFAULT_NONE:
        return;
    case DEFAULT_INTEGER:
        fprintf(out, " DEFAULT '%" PRId64 "'", column->default_integer);
        return;
    case DEFAULT_REAL:
        fputs(" DEFAULT ", out);
        put_real(out, column->default_real);
        return;
    case DEFAULT_TEXT:
        fputs(" DEFAULT ", out);
        put_quoted_text(out, bytes->data, bytes->len);
        return;
    case DEFAULT_BYTES:
        fputs(" DEFAULT X'", out);
        for (size_t i = 0; i < bytes->len; i++)
            fprintf(out, "%02X", bytes->data[i]);
        fputc('\'', out);
        return;
    }
}

static void put_constraints(FILE *out, const struct column *column, const char *name,
                            struct arena *arena)
{
    /* unique with index is an index of its own (ddl_indexes) */
    if (column->unique && !column->index)
        fprintf(out, ", \n\tUNIQUE (%s)", name);
    const struct column *target = column->foreign_key;
    if (!target)
        return;
    const char *table = name_quoted(arena, target->model->table);
    const char *to = name_quoted(arena, target->name);
    if (table && to)
        fprintf(out, ", \n\tFOREIGN KEY(%s) REFERENCES %s (%s)", name, table, to);
}

static void put_table(FILE *out, const struct model *model, const char *table,
                      const char *const *names, struct arena *arena)
{
    fprintf(out, "CREATE TABLE %s (", table);
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        fprintf(out, "%s\n\t%s %s", i > 0 ? ", " : "", names[i], column_sql_type(column));
        put_default(out, column);
        if (column->not_null || column->primary_key)
            fputs(" NOT NULL", out);
    }
    fputs(", \n\tPRIMARY KEY (", out);
    for (size_t i = 0; i < model->n_primary_key; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", names[model->primary_key[i]->position]);
    fputc(')', out);
    for (size_t i = 0; i < model->n_columns; i++)
        put_constraints(out, &model->columns[i], names[i], arena);
    fputs("\n)", out);
}

const char *ddl_table(const struct model *model, struct arena *arena)
{
    const char *table = name_quoted(arena, model->table);
    const char **names = arena_array(arena, model->n_columns, sizeof(*names));
    for (size_t i = 0; names && i < model->n_columns; i++) {
        if (!(names[i] = name_quoted(arena, model->columns[i].name)))
            return NULL;
    }
    if (!table || !names)
        return NULL;

    char *text = NULL, *copy = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    put_table(out, model, table, names, arena);
    if (fclose(out) == 0 && !arena->exhausted)
        copy = arena_copy(arena, text, len + 1);
    free(text);
    return copy;
}

static bool make_index(const struct model *model, struct ddl_index *index, struct arena *arena)
{
    const struct column *first = index->columns[0];
    const char *table = name_quoted(arena, model->table);
    const char *one = name_quoted(arena, first->name);
    const char *two = index->n_columns > 1 ? name_quoted(arena, index->columns[1]->name) : "";
    index->name = name_of_index(arena, model->table, first->name);
    const char *name = index->name ? name_quoted(arena, index->name) : NULL;
    if (!table || !one || !two || !name)
        return false;
    index->sql =
        arena_printf(arena, "CREATE %sINDEX %s ON %s (%s%s%s)", index->unique ? "UNIQUE " : "",
                     name, table, one, index->n_columns > 1 ? ", " : "", two);
    return index->sql != NULL;
}

bool ddl_indexes(const struct model *model, struct arena *arena, struct ddl_index **ret_indexes,
                 size_t *ret_n)
{
    struct ddl_index *indexes = arena_array(arena, model->n_columns + 1, sizeof(*indexes));
    size_t n = 0;
    if (!indexes)
        return false;
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        if (!column->index)
            continue;
        indexes[n] =
            (struct ddl_index){.columns = {column}, .n_columns = 1, .unique = column->unique};
        if (!make_index(model, &indexes[n++], arena))
            return false;
    }
    /* The way back through a link table, unless an index leads there already. */
    if (model->is_link && model->n_primary_key >= 2) {
        const struct column *second = model->primary_key[1];
        if (!second->index && !second->unique) {
            indexes[n] =
                (struct ddl_index){.columns = {second, model->primary_key[0]}, .n_columns = 2};
            if (!make_index(model, &indexes[n++], arena))
                return false;
        }
    }
    *ret_indexes = indexes;
    *ret_n = n;
    return true;
}

Code store_ddl(const struct model *model, struct arena *arena, char ***ret_statements,
               size_t *ret_n)
{
    struct ddl_index *indexes = NULL;
    size_t n = 0;
    const char *table = ddl_table(model, arena);
    if (!table || !ddl_indexes(model, arena, &indexes, &n))
        return HERO__V1__CODE__RESOURCE_EXHAUSTED;
    char **statements = arena_array(arena, n + 1, sizeof(*statements));
    if (!statements)
        return HERO__V1__CODE__RESOURCE_EXHAUSTED;
    statements[0] = (char *)(uintptr_t)table;
    for (size_t i = 0; i < n; i++)
        statements[i + 1] = (char *)(uintptr_t)indexes[i].sql;
    *ret_statements = statements;
    *ret_n = n + 1;
    return HERO__V1__CODE__OK;
}
