/*
 * The models as .proto text. Whatever a database calls its things, nothing of
 * it leaves a string literal or a comment.
 */
#include <string.h>
#include "infer.h"

static void put_comments(FILE *out, const struct infer_comments *comments, const char *indent)
{
    for (size_t i = 0; i < comments->n; i++)
        fprintf(out, "%s// %s\n", indent, comments->lines[i]);
}

static void put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

/* ---- options: "name: value" with what separates them ---- */

struct options {
    FILE *out;
    const char *open; /* what comes before the next */
    size_t n;
};

static void put_option(struct options *options, const char *name)
{
    fprintf(options->out, "%s%s: ", options->n++ == 0 ? options->open : ", ", name);
}

static void put_flag(struct options *options, const char *name, bool set)
{
    if (!set)
        return;
    put_option(options, name);
    fputs("true", options->out);
}

static void put_text(struct options *options, const char *name, const char *text)
{
    if (!text)
        return;
    put_option(options, name);
    put_quoted(options->out, text);
}

static void put_word(struct options *options, const char *name, const char *word)
{
    if (!word)
        return;
    put_option(options, name);
    for (; *word; word++) /* SET NULL */
        fputc(*word == ' ' ? '_' : *word, options->out);
}

/* ---- columns ---- */

static const char *format_of(enum infer_kind kind)
{
    return kind == INFER_DATE      ? "DATE"
           : kind == INFER_UUID    ? "UUID"
           : kind == INFER_DECIMAL ? "DECIMAL"
                                   : NULL;
}

static const char *on_delete_of(const char *action)
{
    return action && sqlite3_stricmp(action, "SET DEFAULT") != 0 ? action : NULL;
}

static void put_column(FILE *out, const struct infer_table *table,
                       const struct infer_column *column)
{
    struct options options = {out, " [(hero.column) = {", 0};
    bool differs = strcmp(column->field, column->shape->name) != 0;
    put_comments(out, &column->comments, "  ");
    fprintf(out, "  optional %s %s = %u", infer_kind_name(column->kind), column->field,
            column->number);
    put_text(&options, "name", differs ? column->shape->name : NULL);
    put_flag(&options, "primary_key", column->primary_key);
    put_flag(&options, "not_null", column->not_null && !column->primary_key && !column->read_only);
    put_flag(&options, "index", column->index);
    put_flag(&options, "unique", column->unique);
    put_text(&options, "foreign_key", column->foreign_key);
    put_word(&options, "on_delete", on_delete_of(column->on_delete));
    put_text(&options, "default", column->default_text);
    put_text(&options, "sql_default", column->sql_default);
    put_word(&options, "format", format_of(column->kind));
    put_flag(&options, "autoincrement", column->autoincrement);
    put_text(&options, "check", column->check);
    put_flag(&options, "read_only", column->read_only);
    put_text(&options, "sql_type", table->is_view ? NULL : column->sql_type);
    fputs(options.n > 0 ? "}];\n" : ";\n", out);
}

/* ---- the table's options ---- */

static void put_fields(FILE *out, struct infer_column *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? ", " : "[", out);
        put_quoted(out, columns[i]->field);
    }
    fputc(']', out);
}

static void put_list(FILE *out, const char *option, const struct infer_list *list)
{
    fprintf(out, "    %s: {columns: ", option);
    put_fields(out, list->columns, list->n);
    if (list->name) {
        fputs(" name: ", out);
        put_quoted(out, list->name);
    }
    fputs("}\n", out);
}

static void put_check(FILE *out, const struct create_check *check)
{
    fputs("    check: {sql: ", out);
    put_quoted(out, check->sql);
    if (check->name) {
        fputs(" name: ", out);
        put_quoted(out, check->name);
    }
    fputs("}\n", out);
}

static bool is_columns_option(const struct infer_foreign_key *key)
{
    return key->n == 1;
}

/* The primary key's columns in the order of their declaration: what is meant
 * where nothing is said. */
static bool refers_to_key(const struct infer_foreign_key *key)
{
    size_t n = 0;
    for (size_t i = 0; i < key->target->n_columns; i++)
        if (key->target->columns[i].primary_key)
            if (n >= key->n || key->referred[n++] != &key->target->columns[i])
                return false;
    return n == key->n;
}

static void put_foreign_key(FILE *out, const struct infer_foreign_key *key)
{
    fputs("    foreign_key: {columns: ", out);
    put_fields(out, key->columns, key->n);
    fputs(" table: ", out);
    put_quoted(out, key->target->shape.name);
    if (!refers_to_key(key)) {
        fputs(" refers_to: [", out);
        for (size_t i = 0; i < key->n; i++) {
            fputs(i > 0 ? ", " : "", out);
            put_quoted(out, key->referred[i]->shape->name);
        }
        fputc(']', out);
    }
    if (on_delete_of(key->on_delete)) {
        struct options options = {out, " ", 0};
        put_word(&options, "on_delete", key->on_delete);
    }
    fputs("}\n", out);
}

/* heroteamlink of HeroTeamLink: what a table is called where nothing is said. */
static bool is_default_table(const struct infer_table *table)
{
    const char *message = table->message, *name = table->shape.name;
    for (; *message && *name; message++, name++)
        if ((*message >= 'A' && *message <= 'Z' ? *message - 'A' + 'a' : *message) != *name)
            return false;
    return *message == *name;
}

static void put_table_options(const struct infer_table *table, FILE *out)
{
    bool many = table->n_uniques + table->n_indexes + table->n_checks > 0;
    for (size_t i = 0; i < table->n_foreign_keys; i++)
        many |= !is_columns_option(&table->foreign_keys[i]);
    struct options options = {out, "", 0};
    fputs("  option (hero.table) = {", out);
    if (many)
        options.open = "\n    ";
    put_text(&options, "name", is_default_table(table) ? NULL : table->shape.name);
    put_flag(&options, "read_only", table->is_view);
    fputs(many ? "\n" : "", out);
    for (size_t i = 0; i < table->n_uniques; i++)
        put_list(out, "unique", &table->uniques[i]);
    for (size_t i = 0; i < table->n_indexes; i++)
        put_list(out, "index", &table->indexes[i]);
    for (size_t i = 0; i < table->n_checks; i++)
        put_check(out, &table->checks[i]);
    for (size_t i = 0; i < table->n_foreign_keys; i++)
        if (!is_columns_option(&table->foreign_keys[i]))
            put_foreign_key(out, &table->foreign_keys[i]);
    fputs(many ? "  };\n" : "};\n", out);
}

/* ---- models ---- */

static void put_relationship(FILE *out, const struct infer_relationship *relationship)
{
    struct options options = {out, " [(hero.relationship) = {", 0};
    fprintf(out, "  %s %s %s = %u", relationship->single ? "optional" : "repeated",
            relationship->target->message, relationship->field, relationship->number);
    put_text(&options, "back_populates", relationship->back ? relationship->back->field : NULL);
    put_text(&options, "link_model", relationship->link ? relationship->link->message : NULL);
    put_text(&options, "link_from", relationship->link_from);
    put_text(&options, "foreign_key", relationship->foreign_key);
    if (relationship->tells_end) {
        put_option(&options, "remote");
        fputs(relationship->remote ? "true" : "false", out);
    }
    fputs(options.n > 0 ? "}];\n" : " [(hero.relationship) = {}];\n", out);
}

static void put_table(FILE *out, const struct infer_table *table)
{
    fputc('\n', out);
    put_comments(out, &table->comments, "");
    fprintf(out, "message %s {\n", table->message);
    put_table_options(table, out);
    for (size_t i = 0; i < table->n_columns; i++)
        put_column(out, table, &table->columns[i]);
    for (size_t i = 0; i < table->n_relationships; i++)
        put_relationship(out, &table->relationships[i]);
    fputs("}\n", out);
}

static bool uses(const struct infer *infer, enum infer_kind kind)
{
    for (size_t t = 0; t < infer->n_tables; t++)
        for (size_t i = 0; i < infer->tables[t].n_columns && !infer->tables[t].left_out; i++)
            if (infer->tables[t].columns[i].kind == kind)
                return true;
    return false;
}

void infer_print(const struct infer *infer, FILE *out)
{
    put_comments(out, &infer->comments, "");
    fputs("syntax = \"proto2\";\n\n", out);
    if (uses(infer, INFER_TIMESTAMP))
        fputs("import \"google/protobuf/timestamp.proto\";\n", out);
    fputs("import \"hero/options.proto\";\n", out);
    for (size_t t = 0; t < infer->n_tables; t++)
        if (!infer->tables[t].left_out)
            put_table(out, &infer->tables[t]);
}
