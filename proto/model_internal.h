/*
 * What the files behind model.h share: drafts (what a descriptor set says,
 * options read, nothing resolved) and the builder that turns them into models.
 */
#ifndef HERO_PROTO_MODEL_INTERNAL_H
#define HERO_PROTO_MODEL_INTERNAL_H

#include <stdatomic.h>
#include "model.h"
#include "model_change.h"

typedef Google__Protobuf__FileDescriptorSet FileSet;
typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__FieldDescriptorProto FieldProto;
typedef Google__Protobuf__EnumDescriptorProto EnumProto;

#define FIELD_TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name
#define FIELD_LABEL(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_##name

/* Memory of one set of models, as a multiple of its bytes and at least. */
#define MODELS_BUDGET_FACTOR 64
#define MODELS_BUDGET_LEAST (4u << 20)
#define MODEL_MAX_COLUMNS 1000
#define MODEL_MAX_KEY 8 /* HERO_KEY_MAX: what a client can name */
#define MODELS_MAX 2000
/* Messages inside messages are looked into as far as the scan lets them nest. */
#define NESTED_MAX 32

/* model_options.c: our options of a message or field, from its unknown
 * fields; NULL: not given. A malformed one is a fault at `path`. */
struct option_reader {
    struct arena *arena;
    struct fault *fault;
};
bool message_is_model(const MessageProto *message);
Hero__TableOptions *options_of_table(struct option_reader *reader, const MessageProto *message,
                                     const char *path);
Hero__ColumnOptions *options_of_column(struct option_reader *reader, const FieldProto *field,
                                       const char *path);
Hero__RelationshipOptions *options_of_relationship(struct option_reader *reader,
                                                   const FieldProto *field, const char *path);

struct draft_field {
    const FieldProto *proto;
    const char *path;                              /* heroes.proto:Hero.teams */
    const Hero__ColumnOptions *column;             /* NULL: none given */
    const Hero__RelationshipOptions *relationship; /* NULL: none given */
    bool is_column;                                /* else a relationship, or refused */
    enum column_kind kind;                         /* of a column */
    const void *type;                              /* its enum's or message's descriptor */
    bool usable;                                   /* no fault found in it alone */
};

struct draft {
    const FileProto *file;
    const MessageProto *message;
    const Hero__TableOptions *table_options;
    const char *name; /* full message name */
    const char *path; /* heroes.proto:Hero */
    const char *table;
    bool proto3;
    struct draft_field *fields;
    size_t n_fields, n_columns, n_relationships;
    struct model *model; /* once models are started */
    bool placed;         /* while sorting */
    bool in_progress;
};

/* The whole `struct models`, with what only its owners see. */
struct models_memory {
    struct models public;
    struct arena arena;
    atomic_uint n_refs;
    FileSet *set;
};

struct builder {
    struct models_memory *memory;
    struct arena *arena;
    struct fault *fault;
    struct option_reader options;
    struct draft *drafts;
    size_t n_drafts;
    struct draft **by_name, **by_table; /* sorted; tables without case */
    struct set_types *types;            /* all that the set declares */
    char **warnings;
    size_t n_warnings, max_warnings;
};

/* model_draft.c: reads the set into drafts; faults of single fields. */
bool drafts_read(struct builder *builder);
struct draft *draft_by_name(const struct builder *builder, const char *name);
struct draft *draft_by_table(const struct builder *builder, const char *table);
/* The draft that a foreign key "table.column" may mean. *rest starts as the
 * key, and comes back as the column's name; again from there, since a table's
 * name may hold dots: the next one. NULL: no more. */
struct draft *draft_referred(const struct builder *builder, const char *key, const char **rest);
void builder_warn(struct builder *builder, const char *path, const char *what);

/* Files of our own and of protobuf, which come along with every set. */
bool file_is_support(const FileProto *file);
char *message_full_name(struct arena *arena, const FileProto *file, const MessageProto *message);

/* The warning that a message has our options and no table; NULL: it has none. */
char *message_slip(struct arena *arena, const FileProto *file, const MessageProto *message);

/* model_change.c: how `given` is not `served`; false: no memory. */
bool message_changes(const FileProto *served_file, const MessageProto *served,
                     const FileProto *given_file, const MessageProto *given, struct arena *arena,
                     struct model_changes *ret_changes);
/* The model that a renamed_from names: by full name, else by its table's. */
const struct model *models_renamed(const struct models *served, const char *renamed_from);

/* model_kind.c: what a field holds. Sets kind and type of the draft, or says
 * why the field can be no column. */
const char *field_kind(struct builder *builder, const struct draft *draft,
                       struct draft_field *field);
ProtobufCType wire_type_of_field(const FieldProto *proto);
/* Members of a oneof; a proto3 `optional` is one on paper only. */
static inline bool field_in_oneof(const FieldProto *proto)
{
    return proto->has_oneof_index && !proto->proto3_optional;
}

/* model_default.c: what the option says; NULL, or what is wrong with it. */
const char *column_read_default(struct column *column, const void *type, const char *text,
                                struct arena *arena);

/* model_table.c: constraints and indexes of several columns, checks, oneofs. */
bool oneofs_build(struct builder *builder, const struct draft *draft, struct model *model);
bool table_options_build(struct builder *builder, const struct draft *draft, struct model *model);

/* model_sql.c: texts of SQL in options. Each NULL, or why it is refused. */
const char *check_refused(const char *sql);
const char *sql_type_refused(const char *type);
/* By SQLite's rules, or where the option is not given by the kind's own type. */
enum sql_affinity column_affinity(enum column_kind kind, const char *sql_type);
/* Can the column hold its kind's values as they are? NULL, or why not. */
const char *affinity_refused(const struct column *column);

/* model_column.c: columns and keys of one model. */
bool columns_build(struct builder *builder, const struct draft *draft, struct model *model);
bool column_types_agree(const struct column *a, const struct column *b);

/* model_foreign_key.c */
bool foreign_keys_build(struct builder *builder, const struct draft *draft, struct model *model);
bool referrers_build(struct builder *builder);
/* A relationship looks up the rows that refer by this key. */
void foreign_key_want_index(const struct builder *builder, const struct foreign_key *key);
/* Drafts that the foreign keys of one may refer to. */
typedef void visit_draft(void *context, struct draft *referred);
void draft_each_referred(struct builder *builder, const struct draft *draft, visit_draft *visit,
                         void *context);

/* model_link.c: the link model and its ends. NULL, or what is wrong. */
const char *relationship_find_link(struct builder *builder, const struct draft *draft,
                                   const struct draft_field *field,
                                   struct relationship *relationship);

/* model_relationship.c */
const struct model *builder_model(const struct builder *builder, const char *name);
bool relationships_build(struct builder *builder, const struct draft *draft, struct model *model);
void relationships_check_sides(struct builder *builder, const struct draft *draft,
                               struct model *model);

static inline const char *full_type_name(const char *type_name)
{
    return type_name && type_name[0] == '.' ? type_name + 1 : type_name ? type_name : "";
}

#endif
