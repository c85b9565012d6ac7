/*
 * Inference: from a SQLite database that anybody may have made to models as
 * .proto text. What the files of this folder share.
 *
 *   read.c    tables and views, by pragmas and CREATE TABLE
 *   values.c  what the rows hold
 *   kind.c    declaration and values -> type, format, sql_type
 *   literal.c DEFAULT clauses -> texts of defaults
 *   names.c   names of SQL -> names of protobuf, none of them twice
 *   keys.c    foreign keys and unique constraints
 *   relate.c  foreign keys -> relationships, link models
 *   print.c   the text
 *
 * Changes nothing and guesses nothing: what can't be known is a comment.
 */
#ifndef HERO_STORE_INFER_H
#define HERO_STORE_INFER_H

#include <stdio.h>
#include "../create_table.h"
#include "../shape.h"

/* What the rows hold in one column. */
struct infer_values {
    uint64_t nulls, integers, reals, texts, blobs;
    int64_t least, most;     /* of the integers */
    uint64_t unsafe_texts;   /* not UTF-8, or a NUL inside */
    uint64_t timestamps;     /* as SQLAlchemy writes them */
    uint64_t dates, uuids;   /* 2026-11-23; 32 lower-case hex digits */
    uint64_t long_uuids;     /* with their dashes */
    uint64_t decimals;       /* exact numbers */
    uint64_t large_integers; /* that a double can't hold */
    uint64_t infinities;
};

enum infer_kind {
    INFER_INT64,
    INFER_DOUBLE,
    INFER_BOOL,
    INFER_STRING,
    INFER_BYTES,
    INFER_TIMESTAMP,
    INFER_DATE,
    INFER_UUID,
    INFER_DECIMAL,
};

struct infer_comments {
    const char **lines;
    size_t n;
};

struct infer_column {
    const struct shape_column *shape;
    struct infer_values values;
    enum infer_kind kind;
    const char *field; /* its name in the .proto */
    unsigned number;
    bool primary_key, not_null, unique, index, autoincrement, read_only;
    const char *sql_type;     /* NULL: what Hero itself declares */
    const char *default_text; /* NULL: none */
    const char *sql_default;  /* an expression; NULL: none */
    const char *check;        /* NULL: none */
    const char *foreign_key;  /* "table.column"; NULL: none */
    const char *on_delete;    /* CASCADE ...; NULL: no action */
    struct infer_comments comments;
};

struct infer_table;

/* One of one column or several. */
struct infer_foreign_key {
    struct infer_table *target;
    struct infer_column **columns;  /* of the table that holds it */
    struct infer_column **referred; /* of the target, pairwise */
    size_t n;
    const char *on_delete; /* NULL: no action */
    const char *base;      /* what its columns are called, less what says "key"; in names.c */
    bool unique;           /* at most one row refers to a target's row */
    bool to_primary_key;
};

struct infer_list {   /* of columns, with a name: unique constraint, index */
    const char *name; /* NULL: the default */
    struct infer_column **columns;
    size_t n;
};

struct infer_relationship {
    struct infer_table *target;
    const char *field;
    unsigned number;
    bool single;
    bool remote, tells_end;          /* the related record holds the key; must that be said? */
    struct infer_relationship *back; /* the other side; NULL: none */
    const struct infer_table *link;  /* NULL: without link model */
    const char *link_from;           /* NULL: clear without */
    const char *foreign_key;         /* NULL: clear without */
};

struct infer_table {
    struct shape shape;
    struct create_table create;
    bool is_view, is_strict, without_rowid;
    const char *left_out; /* why there is no model of it; NULL: there is one */
    const char *message;  /* its name in the .proto */
    const char *stem;     /* hero_team_link: what relationships to it are called after */
    struct infer_column *columns;
    size_t n_columns;
    const struct shape_index *key_index; /* a unique one that serves as primary key; NULL: none */
    struct infer_column **key;
    size_t n_key;
    uint64_t n_rows;
    bool rows_cut; /* not all were looked at */
    struct infer_foreign_key *foreign_keys;
    size_t n_foreign_keys;
    struct infer_list *uniques, *indexes;
    size_t n_uniques, n_indexes;
    struct create_check *checks; /* the table's */
    size_t n_checks;
    struct infer_relationship *relationships;
    size_t n_relationships, max_relationships;
    bool is_link;
    struct infer_comments comments;
};

struct infer {
    struct db *db;
    struct arena *arena;
    struct fault *fault;
    const struct infer_options *options;
    struct infer_table *tables;
    size_t n_tables;
    struct infer_comments comments; /* of the file */
};

/* All of it, of a connection that only reads. */
MUST_CHECK Code infer_database(struct db *db, const struct infer_options *options, FILE *out,
                               struct fault *fault);

MUST_CHECK Code infer_no_memory(struct infer *infer);
/* Room for one element more. */
void *infer_grown(struct arena *arena, void *elements, size_t n, size_t size);
/* A line of comment; anything in the text that is no plain text is escaped. */
void infer_say(struct infer *infer, struct infer_comments *comments, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* keys.c: of all rows, of columns, byte for byte. */
bool infer_is_ordinary(const struct shape_index *index);
/* keys.c: exactly these columns, in any order, are unique. */
bool infer_is_unique(const struct infer_table *table, struct infer_column *const *columns,
                     size_t n);

struct infer_column *infer_column_named(const struct infer_table *table, const char *name);
struct infer_table *infer_table_named(const struct infer *infer, const char *name);

/* The steps, in this order. */
MUST_CHECK Code infer_read(struct infer *infer);          /* read.c */
MUST_CHECK Code infer_look(struct infer *infer);          /* values.c */
void infer_kinds(struct infer *infer);                    /* kind.c */
void infer_names(struct infer *infer);                    /* names.c */
MUST_CHECK Code infer_keys(struct infer *infer);          /* keys.c */
void infer_defaults(struct infer *infer);                 /* literal.c */
MUST_CHECK Code infer_relationships(struct infer *infer); /* relate.c */
void infer_print(const struct infer *infer, FILE *out);   /* print.c */

/* values.c: one row more, of a statement whose result columns are the table's. */
void infer_count(struct infer_values *values, sqlite3_stmt *stmt, int index);

/* kind.c: after a change of the kind, what depends on it. */
void infer_set_kind(struct infer *infer, struct infer_column *column, enum infer_kind kind);
const char *infer_kind_name(enum infer_kind kind); /* "int64", "string" ... */

/* names.c: words of SQL as a_name_like_this. */
const char *infer_snake(struct arena *arena, const char *name);
const char *infer_plural(struct arena *arena, const char *name);
const char *infer_singular(struct arena *arena, const char *name);
bool infer_field_free(const struct infer_table *table, const char *name);
/* A field's name that no other field of the table has, in no language's eyes. */
const char *infer_field_name(struct infer *infer, const struct infer_table *table,
                             const char *wanted);

#endif
