/*
 * heroctl models: what is served, as a table, SQL, .proto source or JSON.
 */
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "history.h"
#include "output.h"
#include "proto_text.h"
#include "schema.h"
#include "text.h"

static const char *scalar_name(ProtobufCType type)
{
    static const char *const names[] = {
        [PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
        [PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
        [PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
        [PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
        [PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
        [PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
        [PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_ENUM] = "enum",
        [PROTOBUF_C_TYPE_STRING] = "string",     [PROTOBUF_C_TYPE_BYTES] = "bytes",
        [PROTOBUF_C_TYPE_MESSAGE] = "message",
    };

    return names[type];
}

/* The type of the .proto, an enum or message by its name. */
static const char *field_type_name(const struct column *column)
{
    const ProtobufCFieldDescriptor *field = column->field;

    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return ((const ProtobufCEnumDescriptor *)field->descriptor)->name;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return ((const ProtobufCMessageDescriptor *)field->descriptor)->name;
    return scalar_name(field->type);
}

static const char *format_name(const struct column *column)
{
    return column->kind == COLUMN_DATE      ? "date"
           : column->kind == COLUMN_UUID    ? "uuid"
           : column->kind == COLUMN_DECIMAL ? "decimal"
                                            : NULL;
}

/* "repeated kinds.Hue", "string (uuid)"; yours to free. */
static char *type_name(const struct column *column)
{
    const char *format = format_name(column);
    char *name = NULL;

    if (asprintf(&name, "%s%s%s%s%s", column_is_list(column) ? "repeated " : "",
                 field_type_name(column), format ? " (" : "", format ? format : "",
                 format ? ")" : "") < 0)
        return NULL;
    return name;
}

/* ---- JSON ---- */

static json_t *json_of_column(const struct column *column)
{
    char *type = type_name(column);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "field", column->field_name, "column", column->name,
        "type", type ? type : "?", "primary_key", column->primary_key, "not_null",
        column->not_null || column->primary_key, "unique", column->unique, "index", column->index);

    free(type);
    if (column->oneof)
        json_object_set_new(json, "oneof", json_string(column->oneof->name));
    if (column->generated)
        json_object_set_new(json, "generated", json_true());
    if (column->read_only)
        json_object_set_new(json, "read_only", json_true());
    if (column->default_kind != DEFAULT_NONE && column->default_text)
        json_object_set_new(json, "default", json_string(column->default_text));
    if (column->foreign_key) {
        json_t *target = json_pack("{s:s, s:s}", "model", column->foreign_key->model->name, "field",
                                   column->foreign_key->field_name);
        json_object_set_new(json, "foreign_key", target);
    }
    return json;
}

static const char *kind_name(const struct relationship *relationship)
{
    switch (relationship->kind) {
    case RELATIONSHIP_MANY_TO_MANY:
        return "many_to_many";
    case RELATIONSHIP_OWN_KEY:
        return relationship->from->is_unique ? "one_to_one" : "many_to_one";
    case RELATIONSHIP_TARGET_KEY:
        return relationship->single ? "one_to_one" : "one_to_many";
    }
    return "";
}

static const char *on_delete_name(const struct relationship *relationship)
{
    switch (relationship->on_delete) {
    case HERO__ON_PARENT_DELETE__DELETE:
        return "DELETE";
    case HERO__ON_PARENT_DELETE__DELETE_ORPHAN:
        return "DELETE_ORPHAN";
    case HERO__ON_PARENT_DELETE__CLEAR:
        return "CLEAR";
    case HERO__ON_PARENT_DELETE__KEEP:
    case _HERO__ON_PARENT_DELETE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

static json_t *json_of_key(const struct foreign_key *key)
{
    json_t *fields = json_array();

    for (size_t i = 0; i < key->n; i++)
        json_array_append_new(fields, json_string(key->columns[i]->field_name));
    return json_pack("{s:s, s:o}", "model", key->model->name, "fields", fields);
}

static json_t *json_of_relationship(const struct relationship *relationship)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "field", relationship->name, "model",
                             relationship->target->name, "kind", kind_name(relationship));

    if (relationship->link)
        json_object_set_new(json, "link_model", json_string(relationship->link->name));
    else
        json_object_set_new(json, "foreign_key", json_of_key(relationship->from));
    if (relationship->symmetric)
        json_object_set_new(json, "symmetric", json_true());
    if (on_delete_name(relationship))
        json_object_set_new(json, "on_delete", json_string(on_delete_name(relationship)));
    if (relationship->back_populates)
        json_object_set_new(json, "back_populates",
                            json_string(relationship->back_populates->name));
    return json;
}

static json_t *json_of_model(const struct model *model)
{
    json_t *key = json_array(), *columns = json_array(), *relationships = json_array();

    for (size_t i = 0; i < model->n_primary_key; i++)
        json_array_append_new(key, json_string(model->primary_key[i]->field_name));
    for (size_t i = 0; i < model->n_columns; i++)
        json_array_append_new(columns, json_of_column(&model->columns[i]));
    for (size_t i = 0; i < model->n_relationships; i++)
        json_array_append_new(relationships, json_of_relationship(&model->relationships[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", model->name, "table", model->table,
                     "file", model->file, "primary_key", key, "columns", columns, "relationships",
                     relationships);
}

static int print_json(struct context *context, const struct models *models,
                      const struct model *model)
{
    json_t *json = model ? json_of_model(model) : json_array();

    for (size_t i = 0; !model && i < models->n_models; i++)
        json_array_append_new(json, json_of_model(&models->models[i]));
    if (!json)
        return report_local(context, "out of memory");
    output_json(context, json);
    json_decref(json);
    return EXIT_DONE;
}

/* ---- table ---- */

/* "a,b" of names; the caller frees. */
static char *join_key(const struct model *model)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (size_t i = 0; i < model->n_primary_key; i++)
        fprintf(out, "%s%s", i ? "," : "", model->primary_key[i]->field_name);
    fclose(out);
    return text;
}

static char *join_relationships(const struct model *model)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (size_t i = 0; i < model->n_relationships; i++)
        fprintf(out, "%s%s", i ? " " : "", model->relationships[i].name);
    fclose(out);
    return text;
}

static void add_model(struct sheet *sheet, const struct model *model)
{
    char *key = join_key(model), *relationships = join_relationships(model);
    const char *cells[] = {model->name, model->table, key,
                           model->n_relationships ? relationships : NULL};

    sheet_row(sheet, cells);
    free(key);
    free(relationships);
}

static int print_models(struct context *context, const struct models *models)
{
    static const struct sheet_column columns[] = {
        {"model", false}, {"table", false}, {"key", false}, {"relationships", false}};
    struct sheet *sheet = sheet_new(context->arguments.format == FORMAT_CSV, columns, 4);

    if (!sheet)
        return report_local(context, "out of memory");
    for (size_t i = 0; i < models->n_models; i++)
        add_model(sheet, &models->models[i]);
    bool printed = sheet_flush(sheet);
    sheet_free(sheet);
    return printed ? EXIT_DONE : EXIT_OTHER;
}

static void add_column(struct sheet *sheet, const struct column *column)
{
    char refers[512], *type = type_name(column), *rules = NULL;
    const struct model *model = column->model;
    const char *cells[] = {column->field_name, type, NULL, NULL, NULL};

    if (asprintf(&rules, "%s%s%s%s%s%s%s%s%s", column->primary_key ? " primary key" : "",
                 model->autoincrement && column == model->auto_id ? " autoincrement" : "",
                 column->not_null && !column->primary_key ? " not null" : "",
                 column->unique ? " unique" : "", column->index ? " index" : "",
                 column->generated ? " generated" : "", column->read_only ? " read only" : "",
                 column->oneof ? " oneof " : "", column->oneof ? column->oneof->name : "") < 0)
        rules = NULL;
    cells[2] = rules && *rules ? rules + 1 : NULL;
    if (column->default_kind != DEFAULT_NONE)
        cells[3] = column->default_text;
    if (column->foreign_key) {
        snprintf(refers, sizeof(refers), "%s.%s", column->foreign_key->model->name,
                 column->foreign_key->field_name);
        cells[4] = refers;
    }
    sheet_row(sheet, cells);
    free(rules);
    free(type);
}

/* "Team.heroes by team_id", "Team.heroes through HeroTeamLink" */
static void add_relationship(struct sheet *sheet, const struct relationship *relationship)
{
    char refers[1024], rules[128];
    const struct relationship *back = relationship->back_populates;
    const char *on_delete = on_delete_name(relationship);
    const struct foreign_key *key = relationship->from;
    const char *by = relationship->link ? relationship->link->name : key->columns[0]->field_name;
    const char *cells[] = {relationship->name, relationship->single ? "one" : "many", NULL, NULL,
                           refers};

    snprintf(rules, sizeof(rules), "%s%s%s", relationship->symmetric ? " symmetric" : "",
             on_delete ? " on delete " : "", on_delete ? on_delete : "");
    cells[2] = *rules ? rules + 1 : NULL;
    snprintf(refers, sizeof(refers), "%s%s%s %s %s%s%s", relationship->target->name,
             back ? "." : "", back ? back->name : "", relationship->link ? "through" : "by",
             relationship->kind == RELATIONSHIP_TARGET_KEY ? relationship->target->name : "",
             relationship->kind == RELATIONSHIP_TARGET_KEY ? "." : "", by);
    sheet_row(sheet, cells);
}

static int print_model(struct context *context, const struct model *model)
{
    static const struct sheet_column columns[] = {{"field", false},
                                                  {"type", false},
                                                  {"rules", false},
                                                  {"default", false},
                                                  {"refers to", false}};
    struct sheet *sheet = sheet_new(context->arguments.format == FORMAT_CSV, columns, 5);

    if (!sheet)
        return report_local(context, "out of memory");
    for (size_t i = 0; i < model->n_columns; i++)
        add_column(sheet, &model->columns[i]);
    for (size_t i = 0; i < model->n_relationships; i++)
        add_relationship(sheet, &model->relationships[i]);
    bool printed = sheet_flush(sheet);
    sheet_free(sheet);
    return printed ? EXIT_DONE : EXIT_OTHER;
}

/* ---- SQL and .proto ---- */

static void print_ddl(const json_t *model)
{
    const json_t *ddl = text_member(model, "ddl");

    for (size_t i = 0; i < json_array_size(ddl); i++)
        printf("%s;\n", json_string_value(json_array_get(ddl, i)));
}

static int print_sql(struct context *context, const char *name)
{
    if (!context_connect(context))
        return report_error(context);
    hero_result *answer = name ? hero_client_get_model(context->client, name, &context->error)
                               : hero_client_list_models(context->client, &context->error);
    if (!answer)
        return report_error(context);
    json_t *json = json_loads(hero_result_text(answer), 0, NULL);
    hero_result_free(answer);
    if (!json)
        return report_local(context, "the daemon's answer is broken JSON");
    const json_t *models = text_member(json, "models");
    for (size_t i = 0; i < json_array_size(models); i++)
        print_ddl(json_array_get(models, i));
    if (name)
        print_ddl(text_member(json, "model"));
    json_decref(json);
    return EXIT_DONE;
}

static int print_proto(struct context *context, const struct models *models,
                       const struct model *model)
{
    int n = proto_text_print(stdout, models->descriptor_set, models->descriptor_set_len,
                             model ? model->file : NULL);

    return n < 0 ? report_local(context, "the daemon's descriptor set is broken") : EXIT_DONE;
}

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    const char *name = arguments->n_operands ? arguments->operands[0] : NULL;
    const struct model *model = NULL;
    struct models *models = NULL;

    if (arguments->history + arguments->diff + arguments->sql + arguments->proto > 1)
        return report_usage(arguments, "--sql, --proto, --history and --diff exclude each other");
    if (arguments->diff)
        return history_diff(context);
    if (arguments->history)
        return arguments->n_operands ? report_usage(arguments, "--history is of all models")
                                     : history_print(context);
    if (arguments->n_operands > 1)
        return report_usage(arguments, "'%s' is one argument too many", arguments->operands[1]);
    if (arguments->sql)
        return print_sql(context, name);
    int result = schema_fetch(context, &models);
    if (!result && name)
        result = schema_find(context, models, name, &model);
    if (!result && arguments->proto)
        result = print_proto(context, models, model);
    else if (!result && arguments->format != FORMAT_TABLE && arguments->format != FORMAT_CSV)
        result = print_json(context, models, model);
    else if (!result)
        result = model ? print_model(context, model) : print_models(context, models);
    models_unref(models);
    return result;
}

const struct command command_models = {
    .name = "models",
    .operands = "[MODEL|VERSION [VERSION]]",
    .help = "Print the models that are served, or the fields of one",
    .details =
        "--sql prints the statements that make the tables; --proto prints source that apply\n"
        "takes again (with MODEL: the file that declares it).\n"
        "--history lists what was served in which version, --diff compares VERSION with another\n"
        "or with what is served; heroctl apply --set VERSION goes back.\n",
    .example = "  heroctl models\n"
               "  heroctl models hero --sql\n"
               "  heroctl models --proto\n",
    .options = OPTION_SQL | OPTION_PROTO | OPTION_HISTORY | OPTION_DIFF,
    .n_operands_max = 2,
    .run = run,
};
