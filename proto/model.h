/*
 * Models: what a descriptor set says with our options, checked as a whole.
 *
 * Knows protobuf descriptors and the model language (hero/options.proto);
 * knows no SQL beyond names, no sockets. Used by the daemon to serve and by
 * the client and heroctl to tell keys, columns and relationships apart.
 *
 * A `struct models` is immutable, shared between threads and counted.
 */
#ifndef HERO_PROTO_MODEL_H
#define HERO_PROTO_MODEL_H

#include "dynamic.h"
#include "hero/options.pb-c.h"

struct model;

/* What a column holds. The daemon's table of columns (store/column.c) and the
 * JSON of values (json/json_column.c) have a row for each. */
enum column_kind {
    COLUMN_INT32,
    COLUMN_UINT32,
    COLUMN_INT64,
    COLUMN_UINT64,
    COLUMN_FLOAT,
    COLUMN_DOUBLE,
    COLUMN_BOOL,
    COLUMN_TEXT,
    COLUMN_BYTES,
    COLUMN_ENUM,
    COLUMN_TIMESTAMP,
    COLUMN_DATE,
    COLUMN_UUID,
    COLUMN_DECIMAL,
    COLUMN_JSON, /* repeated, or a message without a table */
};
#define COLUMN_KINDS (COLUMN_JSON + 1)

/* "int64", "string", "timestamp" */
const char *column_kind_name(enum column_kind kind);

/* What SQLite makes of values by the type a column is declared with. */
enum sql_affinity {
    AFFINITY_NONE,
    AFFINITY_TEXT,
    AFFINITY_NUMERIC, /* and INTEGER: text that looks like a number becomes one */
    AFFINITY_REAL,
};

enum default_kind {
    DEFAULT_NONE,
    DEFAULT_INTEGER,
    DEFAULT_REAL,
    DEFAULT_TEXT,
    DEFAULT_BYTES,
    DEFAULT_SQL, /* an expression; the database evaluates it where the column is left out */
    DEFAULT_NOW, /* of a Timestamp or a date: when the record is made */
};

/* Columns that are one thing together: a constraint, an index, a oneof. */
struct column_list {
    const char *name;
    const struct column **columns;
    size_t n;
};

/* A condition in SQL that every row fulfils. */
struct check {
    const char *name; /* NULL: none is given */
    const char *sql;
    const struct column *column; /* that declares it; NULL: the table does */
};

struct column {
    const struct model *model;
    const char *field_name; /* in the .proto, in JSON, in paths */
    const char *name;       /* in SQL */
    const char *quoted;     /* the same, as it stands in statements */
    uint32_t number;
    unsigned position; /* in model->columns */
    enum column_kind kind;
    ProtobufCType type;                    /* on the wire */
    const ProtobufCFieldDescriptor *field; /* in model->descriptor */
    bool primary_key, not_null, index, unique;
    bool required;  /* the .proto says `required`: NOT NULL, with a warning */
    bool read_only; /* the database computes it; never written */
    bool generated; /* an absent uuid is made on create */
    bool dashes;    /* a uuid that is stored as people write it */
    /* Of a database that was there before, or of an enum; NULL: the kind's. */
    const char *sql_type;
    enum sql_affinity affinity;
    const struct column_list *oneof; /* at most one of its columns is set; NULL: none */
    /* What absence becomes on create. default_text is the option as written. */
    enum default_kind default_kind;
    const char *default_text;
    int64_t default_integer; /* bool: 0 or 1 */
    double default_real;
    ProtobufCBinaryData default_bytes; /* text too, as SQLite holds it */
    const struct column *foreign_key;  /* column referred to, by a key of this column alone; NULL */
};

/* Of one column or several; its values together are a key of the target. */
struct foreign_key {
    const struct model *model;     /* that holds it */
    const struct column **columns; /* in model */
    const struct model *target;
    const struct column **referred; /* in target, pairwise: its primary key, or unique together */
    size_t n;
    Hero__OnDelete on_delete;
    bool to_primary_key;       /* referred is the target's whole primary key */
    bool is_unique;            /* at most one record of model refers to one of target */
    Hero__OnParentDelete rule; /* of the target's relationships by this key */
    bool deletes_orphans;      /* the target goes with the last that refers to it */
    bool is_link;              /* an end of some relationship's link model */
    bool wants_index; /* a relationship looks rows up by it, and no declared index leads there */
};

enum relationship_kind {
    RELATIONSHIP_MANY_TO_MANY, /* through a link model */
    RELATIONSHIP_OWN_KEY,      /* model holds the foreign key: many-to-one, one-to-one */
    RELATIONSHIP_TARGET_KEY,   /* the target holds it: one-to-many, one-to-one */
};

/* One column that related records come in the order of. */
struct related_order {
    const struct column *column; /* of the target, or of the link model */
    bool of_link;
    bool descending;
};

struct relationship {
    const struct model *model; /* that declares it */
    const char *name;          /* field name */
    uint32_t number;
    unsigned position; /* in model->relationships */
    enum relationship_kind kind;
    bool single; /* a singular field: at most one related record */
    const struct model *target;
    const struct relationship *back_populates; /* the other side's; NULL: declared on one side */
    const struct model *link;                  /* many-to-many; else NULL */
    /* Many-to-many: the link's key to model; TARGET_KEY: the target's to
     * model; OWN_KEY: model's to target. */
    const struct foreign_key *from;
    const struct foreign_key *to;      /* many-to-many: the link's to target; else NULL */
    bool symmetric;                    /* a link holds both ways */
    const struct related_order *order; /* declared; the target's primary key decides among equals */
    size_t n_order;
    Hero__OnParentDelete on_delete;
};

struct model {
    const struct models *models;
    const char *name; /* full message name, without a leading dot */
    const char *table;
    const char *quoted;       /* the table's name as it stands in statements */
    const char *renamed_from; /* a model's name or its table's, before; NULL: nothing is said */
    const char *file;         /* .proto it came from */
    unsigned position; /* in models->models, which is sorted so that a model comes after those it
                          refers to */
    struct column *columns; /* in order of declaration in the .proto */
    size_t n_columns;
    const struct column **primary_key; /* in order of declaration */
    size_t n_primary_key;
    struct foreign_key *foreign_keys; /* of single columns first, in order of declaration */
    size_t n_foreign_keys;
    const struct foreign_key **referrers; /* all that refer to this model, its own too */
    size_t n_referrers;
    struct relationship *relationships;
    size_t n_relationships;
    /* The one integer primary key that SQLite makes ids for; NULL: keys are the client's. */
    const struct column *auto_id;
    bool autoincrement;                             /* ids of deleted records are not given again */
    bool read_only;                                 /* its records are never written */
    struct column_list *uniques, *indexes, *oneofs; /* uniques and indexes of several columns */
    size_t n_uniques, n_indexes, n_oneofs;
    struct check *checks;
    size_t n_checks;
    bool is_link;                                   /* some relationship's link model */
    bool has_parents;                               /* has a foreign key */
    const ProtobufCMessageDescriptor *descriptor;   /* columns only */
    const Google__Protobuf__DescriptorProto *proto; /* as declared, relationships included */
};

struct models {
    struct model *models;
    size_t n_models;
    const uint8_t *descriptor_set; /* all of it, packed; parses back to the same models */
    size_t descriptor_set_len;
    char **warnings;
    size_t n_warnings;
    uint64_t version; /* set by the store: grows with every change of what is served; 0 on the
                         client until told */
    unsigned epoch;   /* set by the store: grows where tables that were there are changed */
};

/* Checks the set as a whole and makes its models. INVALID_ARGUMENT with one
 * violation per fault found, each "file.proto:Message.field" with what is
 * wrong and what to do. A set without any model is a fault; an empty set of
 * bytes makes an empty `struct models`. */
MUST_CHECK Code models_new(const uint8_t *descriptor_set, size_t len, struct models **ret_models,
                           struct fault *fault);
struct models *models_ref(const struct models *models);
void models_unref(const struct models *models); /* NULL allowed */

/* `served` with the models of a set, by full message name: those that are new
 * are added, those that are served become what the set says (model_change.h
 * tells what was what). INVALID_ARGUMENT where the union is faulty (two models
 * with one table name); FAILED_PRECONDITION where the set has a served model's
 * message without a table. *ret_changed: false where the set says nothing new.
 * The result starts with version 0. served may be NULL. */
MUST_CHECK Code models_merge(const struct models *served, const uint8_t *descriptor_set, size_t len,
                             struct models **ret_models, bool *ret_changed, struct fault *fault);
/* `served` less some models. NOT_FOUND; FAILED_PRECONDITION while others, which
 * stay, refer to one of them. Violations' paths: names[i] of one that isn't
 * there; the full name of a model that refers. */
MUST_CHECK Code models_without(const struct models *served, const char *const *names,
                               size_t n_names, struct models **ret_models, struct fault *fault);

/* The FileDescriptorSet of one model: its file and what that needs. Packed into the arena. */
MUST_CHECK Code models_descriptor_set_of(const struct model *model, struct arena *arena,
                                         ProtobufCBinaryData *ret_set, struct fault *fault);

/* By full message name, by table name, or by either in any case where that
 * names one model only. NULL: none or several; then the fault (may be NULL)
 * is NOT_FOUND, listing the near ones. */
const struct model *models_find(const struct models *models, const char *name, struct fault *fault);
/* Columns by field name; relationships by field name. NULL: none. */
const struct column *model_column(const struct model *model, const char *field_name);
const struct column *model_column_by_number(const struct model *model, uint32_t number);
const struct relationship *model_relationship(const struct model *model, const char *name);
/* The columns that become NULL so that the key refers to nothing: those that
 * can be, and are no other key's where there is a choice. false: none can. */
bool foreign_key_clears(const struct foreign_key *key, const struct column *column);
bool foreign_key_can_clear(const struct foreign_key *key);
/* Is the column part of the foreign key? */
bool foreign_key_has(const struct foreign_key *key, const struct column *column);
/* Of the index that it wants: ix_hero_team_id, ix_city_country_state. In the arena. */
char *foreign_key_index_name(const struct foreign_key *key, struct arena *arena);
/* "team_id", "(country, city)": its columns, for people and texts of errors. In the arena. */
const char *foreign_key_text(const struct foreign_key *key, struct arena *arena);

/* A column of values in a list, which is never absent, only empty. */
static inline bool column_is_list(const struct column *column)
{
    return column->field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* Does a record that is made without a value for it have one then? */
static inline bool column_fills_itself(const struct column *column)
{
    return column->default_kind != DEFAULT_NONE || column->generated || column->read_only ||
           column_is_list(column);
}

/* Unpacks a record of the model: scan, then protobuf-c. Unknown fields are
 * refused: a client with other models must not lose data in silence. */
MUST_CHECK Code model_unpack(const struct model *model, const uint8_t *bytes, size_t len,
                             struct arena *arena, ProtobufCMessage **ret_record,
                             struct fault *fault);
/* Does the record hold its whole primary key, and (only) nothing else? Violations name the fields.
 */
MUST_CHECK Code model_check_key(const struct model *model, const ProtobufCMessage *record,
                                bool only, struct fault *fault);
/* "1" or "3,\"x\"": the key for people and texts of errors. In the arena. */
const char *model_key_text(const struct model *model, const ProtobufCMessage *record,
                           struct arena *arena);

#endif
