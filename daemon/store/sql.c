/* Texts of SQL statements in an arena. Knows names and columns, no connection. */
#include <stdio.h>
#include <string.h>
#include "names.h"
#include "sql.h"

#define FIRST_SIZE 512

void sql_init(struct sql *sql, struct arena *arena)
{
    *sql = (struct sql){.arena = arena, .size = FIRST_SIZE};
    sql->text = arena_reserve(arena, sql->size);
    sql->failed = !sql->text;
    if (sql->text)
        sql->text[0] = '\0';
}

void sql_add(struct sql *sql, const char *text)
{
    if (sql->failed || !text) {
        sql->failed = true;
        return;
    }
    size_t len = strlen(text);
    if (sql->size - sql->len <= len) {
        size_t size = 2 * (sql->size + len);
        char *larger = arena_reserve(sql->arena, size);
        if (!larger) {
            sql->failed = true;
            return;
        }
        memcpy(larger, sql->text, sql->len);
        sql->text = larger;
        sql->size = size;
    }
    memcpy(sql->text + sql->len, text, len + 1);
    sql->len += len;
}

void sql_name(struct sql *sql, const char *name)
{
    sql_add(sql, name_quoted(sql->arena, name));
}

void sql_table(struct sql *sql, const struct model *model)
{
    sql_add(sql, model->quoted);
}

void sql_parameter(struct sql *sql, unsigned number)
{
    char text[16];
    snprintf(text, sizeof(text), "?%u", number);
    sql_add(sql, text);
}

void sql_column(struct sql *sql, const char *prefix, const struct column *column)
{
    sql_add(sql, prefix);
    sql_add(sql, column->quoted);
}

void sql_columns(struct sql *sql, const char *prefix, const struct model *model)
{
    for (size_t i = 0; i < model->n_columns; i++) {
        if (i > 0)
            sql_add(sql, ", ");
        sql_column(sql, prefix, &model->columns[i]);
    }
}

void sql_key(struct sql *sql, const char *prefix, const struct model *model, unsigned first)
{
    for (size_t i = 0; i < model->n_primary_key; i++) {
        if (i > 0)
            sql_add(sql, " AND ");
        sql_column(sql, prefix, model->primary_key[i]);
        sql_add(sql, " = ");
        sql_parameter(sql, first + (unsigned)i);
    }
}

const char *sql_text(const struct sql *sql)
{
    return sql->failed ? NULL : sql->text;
}
