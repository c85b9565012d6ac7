/*
 * Keys and constraints: unique columns, indexes, CHECKs, foreign keys. What
 * models can say is kept, of the rest a comment tells.
 */
#include <string.h>
#include "infer.h"
#include "names.h"

static bool same(const char *a, const char *b)
{
    return sqlite3_stricmp(a, b) == 0;
}

/* ---- unique constraints and indexes ---- */

bool infer_is_ordinary(const struct shape_index *index)
{
    for (size_t i = 0; i < index->n_columns; i++)
        if (!index->columns[i] || !index->binary[i])
            return false;
    return !index->partial && index->n_columns > 0;
}

static const char *name_of_constraint(const struct infer_table *table,
                                      const struct shape_index *index)
{
    for (size_t i = 0; i < table->create.n_constraints; i++) {
        const struct create_constraint *constraint = &table->create.constraints[i];
        bool equal = constraint->unique && constraint->n_columns == index->n_columns;
        for (size_t k = 0; equal && k < index->n_columns; k++)
            equal = constraint->columns[k] && same(constraint->columns[k], index->columns[k]);
        if (equal)
            return constraint->name;
    }
    return NULL;
}

/* ix_table_a_b: what Hero and SQLModel would call it themselves. */
static bool is_default_name(struct infer *infer, const struct infer_table *table,
                            const struct infer_list *list, const char *prefix)
{
    const char *text = arena_printf(infer->arena, "%s_%s", prefix, table->shape.name);
    for (size_t i = 0; text && i < list->n; i++)
        text = arena_printf(infer->arena, "%s_%s", text, list->columns[i]->shape->name);
    return text && list->name && strcmp(text, list->name) == 0;
}

static struct infer_list *add_list(struct infer *infer, const struct infer_table *table,
                                   const struct shape_index *index, struct infer_list **lists,
                                   size_t *n)
{
    *lists = infer_grown(infer->arena, *lists, *n, sizeof(**lists));
    struct infer_list *list = *lists ? &(*lists)[(*n)++] : NULL;
    if (!list)
        return NULL;
    *list = (struct infer_list){.n = index->n_columns};
    list->columns = arena_array(infer->arena, index->n_columns, sizeof(*list->columns));
    for (size_t i = 0; list->columns && i < index->n_columns; i++)
        list->columns[i] = infer_column_named(table, index->columns[i]);
    return list->columns ? list : NULL;
}

static bool made_by_constraint(const struct shape_index *index)
{
    return strncmp(index->name, "sqlite_autoindex_", 17) == 0;
}

static void take_unique(struct infer *infer, struct infer_table *table,
                        const struct shape_index *index)
{
    bool constraint = made_by_constraint(index);
    if (index->n_columns == 1) {
        struct infer_column *column = infer_column_named(table, index->columns[0]);
        column->unique = true;
        column->index |= !constraint;
        return;
    }
    struct infer_list *list = add_list(infer, table, index, &table->uniques, &table->n_uniques);
    if (!list)
        return;
    list->name = constraint ? name_of_constraint(table, index) : index->name;
    if (is_default_name(infer, table, list, "uq"))
        list->name = NULL;
}

static void take_index(struct infer *infer, struct infer_table *table,
                       const struct shape_index *index)
{
    if (index->n_columns == 1) {
        infer_column_named(table, index->columns[0])->index = true;
        return;
    }
    struct infer_list *list = add_list(infer, table, index, &table->indexes, &table->n_indexes);
    if (!list)
        return;
    list->name = index->name;
    if (is_default_name(infer, table, list, "ix"))
        list->name = NULL;
}

static void read_indexes(struct infer *infer, struct infer_table *table)
{
    for (size_t i = table->shape.n_indexes; i-- > 0;) { /* the last one made comes first */
        const struct shape_index *index = &table->shape.indexes[i];
        if (index->is_key || index == table->key_index)
            continue;
        if (!infer_is_ordinary(index))
            infer_say(infer, &table->comments, "The %s %s (%s) is kept, and not said here.",
                      index->unique ? "unique index" : "index", index->name,
                      index->partial ? "of some rows" : "of expressions or with a collation");
        else if (index->unique)
            take_unique(infer, table, index);
        else
            take_index(infer, table, index);
    }
}

/* ---- CHECKs and what else the text of CREATE TABLE says ---- */

static void take_check(struct infer *infer, struct infer_table *table,
                       const struct create_check *check)
{
    struct infer_column *column =
        check->column && !check->name ? infer_column_named(table, check->column) : NULL;
    if (expression_refused(check->sql) || strpbrk(check->sql, "?$@#:")) {
        infer_say(infer, &table->comments, "A CHECK is kept, and not said here: %s", check->sql);
        return;
    }
    if (column && !column->check) {
        column->check = check->sql;
        return;
    }
    table->checks = infer_grown(infer->arena, table->checks, table->n_checks, sizeof(*check));
    if (table->checks)
        table->checks[table->n_checks++] = *check;
}

static void read_create(struct infer *infer, struct infer_table *table)
{
    const struct create_table *create = &table->create;
    for (size_t i = 0; i < create->n_checks; i++)
        take_check(infer, table, &create->checks[i]);
    if (create->conflict)
        infer_say(infer, &table->comments,
                  "A constraint has ON CONFLICT %s: writes that break it are not refused.",
                  create->conflict);
    for (size_t i = 0; i < table->shape.n_columns; i++) {
        const struct shape_column *column = &table->shape.columns[i];
        if (column->collation && !same(column->collation, "BINARY"))
            infer_say(infer, &table->columns[i].comments,
                      "Compared with COLLATE %s, in the database.", column->collation);
    }
}

static Code read_triggers(struct infer *infer, struct infer_table *table)
{
    struct db *db = infer->db;
    sqlite3_stmt *stmt = db_prepare(
        db,
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE",
        infer->fault);
    if (!stmt)
        return infer->fault->code;
    const char *list = NULL;
    sqlite3_bind_text(stmt, 1, table->shape.name, -1, SQLITE_STATIC);
    while (db_step(db, stmt) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        list = arena_printf(infer->arena, "%s%s%s", list ? list : "", list ? ", " : "",
                            name ? name : "?");
    }
    db_release(db, stmt);
    if (list)
        infer_say(infer, &table->comments, "Its triggers run on Hero's writes too: %s.", list);
    return HERO__V1__CODE__OK;
}

/* ---- foreign keys ---- */

struct candidate { /* the rows of pragma foreign_key_list with one id */
    const struct shape_foreign_key *first;
    size_t n;
};

static struct candidate candidate_at(const struct shape *shape, size_t i)
{
    struct candidate candidate = {&shape->foreign_keys[i], 0};
    while (i + candidate.n < shape->n_foreign_keys &&
           shape->foreign_keys[i + candidate.n].id == candidate.first->id)
        candidate.n++;
    return candidate;
}

static bool is_key_of(const struct infer_table *target, struct infer_column *const *columns,
                      size_t n)
{
    bool all = n == target->n_key;
    for (size_t i = 0; all && i < n; i++)
        all = columns[i]->primary_key;
    return all;
}

/* Exactly these columns, in any order, are unique. */
bool infer_is_unique(const struct infer_table *table, struct infer_column *const *columns, size_t n)
{
    if (is_key_of(table, columns, n) || (n == 1 && columns[0]->unique))
        return true;
    for (size_t u = 0; u < table->n_uniques; u++) {
        size_t found = 0;
        for (size_t i = 0; i < table->uniques[u].n; i++)
            for (size_t k = 0; k < n; k++)
                found += table->uniques[u].columns[i] == columns[k];
        if (found == n && table->uniques[u].n == n)
            return true;
    }
    return false;
}

/* Fills the key; else says why there can be none. */
static const char *resolve(struct infer *infer, struct infer_table *table,
                           struct candidate candidate, struct infer_foreign_key *key)
{
    struct infer_table *target = infer_table_named(infer, candidate.first->table);
    key->columns = arena_array(infer->arena, candidate.n, sizeof(*key->columns));
    key->referred = arena_array(infer->arena, candidate.n, sizeof(*key->referred));
    if (!key->columns || !key->referred)
        return "no memory";
    if (!target)
        return "that table does not exist: SQLite will refuse writes of it";
    if (target->left_out || target->is_view)
        return "that table has no model";
    key->target = target;
    key->n = candidate.n;
    for (size_t i = 0; i < candidate.n; i++) {
        const struct shape_foreign_key *row = &candidate.first[i];
        key->columns[i] = infer_column_named(table, row->from);
        key->referred[i] = row->to             ? infer_column_named(target, row->to)
                           : i < target->n_key ? target->key[i]
                                               : NULL;
        if (!key->columns[i] || !key->referred[i])
            return "it names a column that is not there: SQLite will refuse writes of it";
    }
    if (!candidate.first->to && candidate.n != target->n_key)
        return "it has not as many columns as the key it refers to: SQLite will refuse writes";
    if (!infer_is_unique(target, key->referred, key->n))
        return "what it refers to is neither primary key nor unique: SQLite will refuse writes";
    key->to_primary_key = is_key_of(target, key->referred, key->n);
    key->unique = infer_is_unique(table, key->columns, key->n);
    key->on_delete =
        same(candidate.first->on_delete, "NO ACTION") ? NULL : candidate.first->on_delete;
    return NULL;
}

static const char *names_of(struct infer *infer, struct candidate candidate)
{
    const char *list = NULL;
    for (size_t i = 0; i < candidate.n; i++)
        list = arena_printf(infer->arena, "%s%s%s", list ? list : "", list ? ", " : "",
                            candidate.first[i].from);
    return list ? list : "";
}

static void say_actions(struct infer *infer, struct infer_table *table, struct candidate candidate)
{
    if (same(candidate.first->on_delete, "SET DEFAULT"))
        infer_say(infer, &table->comments,
                  "The foreign key (%s) has ON DELETE SET DEFAULT, which models don't have.",
                  names_of(infer, candidate));
    if (!same(candidate.first->on_update, "NO ACTION"))
        infer_say(infer, &table->comments, "The foreign key (%s) has ON UPDATE %s.",
                  names_of(infer, candidate), candidate.first->on_update);
}

static Code read_foreign_keys(struct infer *infer, struct infer_table *table)
{
    const struct shape *shape = &table->shape;
    table->foreign_keys =
        arena_array(infer->arena, shape->n_foreign_keys + 1, sizeof(*table->foreign_keys));
    if (!table->foreign_keys)
        return infer_no_memory(infer);
    for (size_t i = 0; i < shape->n_foreign_keys;) {
        struct candidate candidate = candidate_at(shape, i);
        struct infer_foreign_key key = {0};
        const char *why = resolve(infer, table, candidate, &key);
        if (why)
            infer_say(infer, &table->comments, "The foreign key (%s) to %s is not kept: %s.",
                      names_of(infer, candidate), candidate.first->table, why);
        else
            table->foreign_keys[table->n_foreign_keys++] = key;
        say_actions(infer, table, candidate);
        i += candidate.n;
    }
    /* SQLite lists the last one first. */
    for (size_t i = 0; i < table->n_foreign_keys / 2; i++) {
        struct infer_foreign_key last = table->foreign_keys[table->n_foreign_keys - 1 - i];
        table->foreign_keys[table->n_foreign_keys - 1 - i] = table->foreign_keys[i];
        table->foreign_keys[i] = last;
    }
    return HERO__V1__CODE__OK;
}

/* ---- both ends of one kind ---- */

/* INTEGER PRIMARY KEY: SQLite sees to it that it stays one. */
static bool is_row_id(const struct infer_table *table, const struct infer_column *column)
{
    return table->n_key == 1 && table->key[0] == column && !table->without_rowid &&
           column->shape->type && sqlite3_stricmp(column->shape->type, "INTEGER") == 0;
}

/* Rows that refer with texts to ids refer to nothing. */
static bool can_agree(const struct infer_table *table, const struct infer_foreign_key *key)
{
    for (size_t i = 0; i < key->n; i++) {
        const struct infer_column *own = key->columns[i], *referred = key->referred[i];
        bool fixed = is_row_id(table, own) || is_row_id(key->target, referred);
        bool bools = (own->kind == INFER_INT64 && referred->kind == INFER_BOOL) ||
                     (own->kind == INFER_BOOL && referred->kind == INFER_INT64);
        if (fixed && own->kind != referred->kind && !bools)
            return false;
    }
    return true;
}

static void drop_disagreeing(struct infer *infer, struct infer_table *table)
{
    size_t n = 0;
    for (size_t f = 0; f < table->n_foreign_keys; f++) {
        const struct infer_foreign_key *key = &table->foreign_keys[f];
        if (can_agree(table, key))
            table->foreign_keys[n++] = *key;
        else
            infer_say(infer, &table->comments,
                      "The foreign key (%s) to %s is not kept: it holds what is no id.",
                      key->columns[0]->shape->name, key->target->shape.name);
    }
    table->n_foreign_keys = n;
}

/* Numbers are carried by texts too, whatever the column is declared as. */
static bool widen(struct infer *infer, struct infer_column *a, struct infer_column *b)
{
    enum infer_kind kind = INFER_STRING;
    if (a->kind == b->kind)
        return false;
    if ((a->kind == INFER_BOOL && b->kind == INFER_INT64) ||
        (b->kind == INFER_BOOL && a->kind == INFER_INT64))
        kind = INFER_INT64;
    if (a->kind == INFER_BYTES || b->kind == INFER_BYTES)
        kind = INFER_BYTES;
    if (a->kind != kind)
        infer_set_kind(infer, a, kind);
    if (b->kind != kind)
        infer_set_kind(infer, b, kind);
    return true;
}

/* A foreign key's columns and those they refer to must have one kind, through
 * chains of keys. Each change makes a kind wider, so it ends. */
static void agree(struct infer *infer)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t t = 0; t < infer->n_tables; t++)
            drop_disagreeing(infer, &infer->tables[t]);
        for (size_t t = 0; t < infer->n_tables; t++)
            for (size_t f = 0; f < infer->tables[t].n_foreign_keys; f++) {
                struct infer_foreign_key *key = &infer->tables[t].foreign_keys[f];
                for (size_t i = 0; i < key->n; i++)
                    changed |= widen(infer, key->columns[i], key->referred[i]);
            }
    }
}

/* Where one column is all of the key it is the column's option. */
static void place_options(struct infer *infer, struct infer_table *table)
{
    for (size_t f = 0; f < table->n_foreign_keys; f++) {
        const struct infer_foreign_key *key = &table->foreign_keys[f];
        if (key->n != 1 || key->columns[0]->foreign_key)
            continue;
        key->columns[0]->foreign_key = arena_printf(infer->arena, "%s.%s", key->target->shape.name,
                                                    key->referred[0]->shape->name);
        key->columns[0]->on_delete = key->on_delete;
    }
}

/* Where SQLite converts nothing, 5 and '5' are two keys of one name. */
static bool is_mixed(const struct infer_table *table, const struct infer_column *column)
{
    const char *type = column->shape->type ? column->shape->type : "";
    bool untyped = !*type || sqlite3_strlike("%blob%", type, 0) == 0 ||
                   (table->is_strict && sqlite3_stricmp(type, "ANY") == 0);
    return untyped && column->kind == INFER_STRING &&
           column->values.integers + column->values.reals > 0;
}

/* Rows without a key can't be named. */
static void check_key_values(struct infer *infer, struct infer_table *table)
{
    uint64_t nulls = 0;
    for (size_t i = 0; i < table->n_key; i++)
        nulls += table->key[i]->values.nulls;
    for (size_t i = 0; i < table->n_key && !table->left_out; i++)
        if (is_mixed(table, table->key[i]))
            table->left_out = "its key has a column without a type that mixes numbers and texts";
    if (nulls > 0)
        table->left_out =
            arena_printf(infer->arena, "%llu of its rows have NULL in the primary key",
                         (unsigned long long)nulls);
}

Code infer_keys(struct infer *infer)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < infer->n_tables; i++)
        if (!infer->tables[i].left_out)
            check_key_values(infer, &infer->tables[i]);
    for (size_t i = 0; i < infer->n_tables; i++)
        if (!infer->tables[i].left_out && !infer->tables[i].is_view)
            read_indexes(infer, &infer->tables[i]);
    for (size_t i = 0; i < infer->n_tables && code == HERO__V1__CODE__OK; i++) {
        struct infer_table *table = &infer->tables[i];
        if (table->left_out || table->is_view)
            continue;
        read_create(infer, table);
        code = read_foreign_keys(infer, table);
        if (code == HERO__V1__CODE__OK)
            code = read_triggers(infer, table);
    }
    agree(infer);
    for (size_t i = 0; i < infer->n_tables && code == HERO__V1__CODE__OK; i++)
        place_options(infer, &infer->tables[i]);
    return code;
}
