/*
 * DDL: CREATE TABLE and CREATE INDEX of a model, exactly as SQLAlchemy 1.4
 * writes them for the same SQLModel class.
 *
 * One index more than SQLModel: a foreign key by which a relationship looks
 * rows up gets one, where none leads there: a link table's second key, the many
 * side of one-to-many. Without it that direction is a full scan.
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

/* In the forms that such columns hold; SQLite's clock has milliseconds. */
static const char *default_now(const struct column *column)
{
    return column->kind == COLUMN_DATE ? "date('now')" : "strftime('%Y-%m-%d %H:%M:%f000', 'now')";
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
    case DEFAULT_NOW: /* the daemon binds it; for those who write past it */
        fprintf(out, " DEFAULT (%s)", default_now(column));
        return;
    case DEFAULT_SQL:
        fprintf(out, " DEFAULT (%s)", column->default_text);
        return;
    }
}

static void put_names(FILE *out, const struct column *const *columns, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = name_quoted(arena, columns[i]->name);
        fprintf(out, "%s%s", i > 0 ? ", " : "", name ? name : "");
    }
}

static const char *on_delete_clause(Hero__OnDelete on_delete)
{
    switch (on_delete) {
    case HERO__ON_DELETE__RESTRICT:
        return " ON DELETE RESTRICT";
    case HERO__ON_DELETE__CASCADE:
        return " ON DELETE CASCADE";
    case HERO__ON_DELETE__SET_NULL:
        return " ON DELETE SET NULL";
    case HERO__ON_DELETE__NO_ACTION:
    case _HERO__ON_DELETE_IS_INT_SIZE:
        break;
    }
    return "";
}

static void put_foreign_key(FILE *out, const struct foreign_key *key, struct arena *arena)
{
    const char *table = name_quoted(arena, key->target->table);
    fputs(", \n\tFOREIGN KEY(", out);
    put_names(out, key->columns, key->n, arena);
    fprintf(out, ") REFERENCES %s (", table ? table : "");
    put_names(out, key->referred, key->n, arena);
    fprintf(out, ")%s", on_delete_clause(key->on_delete));
}

static void put_constraints(FILE *out, const struct column *column, const char *name,
                            struct arena *arena)
{
    /* unique with index is an index of its own (ddl_indexes) */
    if (column->unique && !column->index)
        fprintf(out, ", \n\tUNIQUE (%s)", name);
    for (size_t i = 0; i < column->model->n_foreign_keys; i++) {
        const struct foreign_key *key = &column->model->foreign_keys[i];
        if (key->n == 1 && key->columns[0] == column)
            put_foreign_key(out, key, arena);
    }
}

/* AUTOINCREMENT can only stand at the column. */
static void put_primary_key(FILE *out, const struct model *model, const char *const *names)
{
    if (model->autoincrement)
        return;
    fputs(", \n\tPRIMARY KEY (", out);
    for (size_t i = 0; i < model->n_primary_key; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", names[model->primary_key[i]->position]);
    fputc(')', out);
}

static void put_constraint_name(FILE *out, const char *name, struct arena *arena)
{
    const char *quoted = name ? name_quoted(arena, name) : NULL;
    fputs(", \n\t", out);
    if (quoted)
        fprintf(out, "CONSTRAINT %s ", quoted);
}

static void put_column_checks(FILE *out, const struct column *column)
{
    for (size_t i = 0; i < column->model->n_checks; i++)
        if (column->model->checks[i].column == column)
            fprintf(out, " CHECK (%s)", column->model->checks[i].sql);
}

/* Of a oneof one column at most has a value, whoever writes. */
static void put_oneof_check(FILE *out, const struct column_list *oneof, const char *name,
                            struct arena *arena)
{
    put_constraint_name(out, name, arena);
    fputs("CHECK (", out);
    for (size_t i = 0; i < oneof->n; i++) {
        const char *column = name_quoted(arena, oneof->columns[i]->name);
        fprintf(out, "%s(%s IS NOT NULL)", i > 0 ? " + " : "", column ? column : "");
    }
    fputs(" <= 1)", out);
}

static void put_table_checks(FILE *out, const struct model *model, struct arena *arena)
{
    for (size_t i = 0; i < model->n_checks; i++) {
        if (model->checks[i].column)
            continue;
        put_constraint_name(out, model->checks[i].name, arena);
        fprintf(out, "CHECK (%s)", model->checks[i].sql);
    }
    for (size_t i = 0; i < model->n_oneofs; i++) {
        const struct column_list *oneof = &model->oneofs[i];
        if (oneof->n > 1)
            put_oneof_check(out, oneof, name_of_oneof(arena, model->table, oneof->name), arena);
    }
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
        if (model->autoincrement && column == model->auto_id)
            fputs(" PRIMARY KEY AUTOINCREMENT", out);
        put_column_checks(out, column);
    }
    put_primary_key(out, model, names);
    for (size_t i = 0; i < model->n_columns; i++)
        put_constraints(out, &model->columns[i], names[i], arena);
    for (size_t i = 0; i < model->n_foreign_keys; i++)
        if (model->foreign_keys[i].n > 1)
            put_foreign_key(out, &model->foreign_keys[i], arena);
    for (size_t i = 0; i < model->n_uniques; i++) {
        put_constraint_name(out, model->uniques[i].name, arena);
        fputs("UNIQUE (", out);
        put_names(out, model->uniques[i].columns, model->uniques[i].n, arena);
        fputc(')', out);
    }
    put_table_checks(out, model, arena);
    fputs("\n)", out);
}

const char *ddl_default(const struct column *column, struct arena *arena)
{
    char *text = NULL, *copy = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    put_default(out, column);
    if (fclose(out) == 0 && len > strlen(" DEFAULT "))
        copy = arena_strdup(arena, text + strlen(" DEFAULT "));
    free(text);
    return copy;
}

const char *ddl_table(const struct model *model, struct arena *arena)
{
    return ddl_table_as(model, model->table, arena);
}

const char *ddl_table_as(const struct model *model, const char *table, struct arena *arena)
{
    table = name_quoted(arena, table);
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
    const char *table = name_quoted(arena, model->table);
    const char *name = index->name ? name_quoted(arena, index->name) : NULL;
    const char *list = name_quoted(arena, index->columns[0]->name);
    for (size_t i = 1; list && i < index->n_columns; i++) {
        const char *column = name_quoted(arena, index->columns[i]->name);
        list = column ? arena_printf(arena, "%s, %s", list, column) : NULL;
    }
    if (!table || !name || !list)
        return false;
    index->sql = arena_printf(arena, "CREATE %sINDEX %s ON %s (%s)", index->unique ? "UNIQUE " : "",
                              name, table, list);
    return index->sql != NULL;
}

static bool make_column_index(const struct column *column, struct ddl_index *index,
                              struct arena *arena)
{
    index->name = name_of_index(arena, column->model->table, column->name);
    index->columns = arena_array(arena, 1, sizeof(*index->columns));
    if (!index->columns)
        return false;
    index->columns[0] = column;
    index->n_columns = 1;
    index->unique = column->unique;
    return make_index(column->model, index, arena);
}

/* The way back through a foreign key. Through a link table's, all the way: the
 * index holds the rest of its key too. */
static bool make_key_index(const struct foreign_key *key, struct ddl_index *index,
                           struct arena *arena)
{
    const struct model *model = key->model;
    index->name = foreign_key_index_name(key, arena);
    index->columns = arena_array(arena, key->n + model->n_primary_key, sizeof(*index->columns));
    if (!index->columns)
        return false;
    for (size_t i = 0; i < key->n; i++)
        index->columns[index->n_columns++] = key->columns[i];
    for (size_t i = 0; key->is_link && i < model->n_primary_key; i++)
        if (!foreign_key_has(key, model->primary_key[i]))
            index->columns[index->n_columns++] = model->primary_key[i];
    return make_index(model, index, arena);
}

bool ddl_indexes(const struct model *model, struct arena *arena, struct ddl_index **ret_indexes,
                 size_t *ret_n)
{
    size_t most = model->n_columns + model->n_foreign_keys + model->n_indexes + 1, n = 0;
    struct ddl_index *indexes = arena_array(arena, most, sizeof(*indexes));
    if (!indexes)
        return false;
    for (size_t i = 0; i < model->n_columns; i++)
        if (model->columns[i].index && !make_column_index(&model->columns[i], &indexes[n++], arena))
            return false;
    for (size_t i = 0; i < model->n_indexes; i++) {
        const struct column_list *list = &model->indexes[i];
        indexes[n] =
            (struct ddl_index){.name = list->name, .columns = list->columns, .n_columns = list->n};
        if (!make_index(model, &indexes[n++], arena))
            return false;
    }
    for (size_t i = 0; i < model->n_foreign_keys; i++) {
        if (!model->foreign_keys[i].wants_index)
            continue;
        if (!make_key_index(&model->foreign_keys[i], &indexes[n], arena))
            return false;
        indexes[n++].implied = true;
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
