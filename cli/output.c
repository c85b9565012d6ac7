/*
 * Records and other results as table, JSON, JSON lines or CSV.
 *
 * Records come as the JSON text of the library. JSON forms need nothing else;
 * table and CSV take columns and keys from the served models.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"
#include "schema.h"
#include "text.h"

#define ETAG "@etag"

struct output {
    struct context *context;
    bool one;
    size_t n_records; /* printed so far */
    /* Table and CSV only. */
    char *model_name, *expand;
    struct models *models;
    const char *fields; /* NULL: all */
    const struct model *model;
    const struct column **columns; /* shown */
    size_t n_columns;
    const struct relationship **relationships; /* shown behind the columns */
    size_t n_relationships;
    bool etags; /* the last column */
    struct sheet *sheet;
};

static bool is_sheet(const struct context *context)
{
    return context->arguments.format == FORMAT_TABLE || context->arguments.format == FORMAT_CSV;
}

/* ---- cells ---- */

static bool is_number(const struct column *column)
{
    return column->kind <= COLUMN_DOUBLE || column->kind == COLUMN_DECIMAL;
}

static void write_scalar(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        fwrite(json_string_value(value), 1, json_string_length(value), out);
    else
        text_write_json(out, value, false);
}

/* Part of a key as the command line takes it; in quotes where its end would not be seen. */
static void write_key_part(FILE *out, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text && *text && !strpbrk(text, " ,\"()\\"))
        fputs(text, out);
    else
        text_write_json(out, value, false);
}

/* A list of records, or the one of a singular relationship. */
static bool is_any(const json_t *related)
{
    return json_array_size(related) > 0 || json_is_object(related);
}

static void write_related(FILE *out, const struct relationship *relationship,
                          const json_t *records);

/* "{role=lead,position=2}": what a link holds. */
static void write_link(FILE *out, const json_t *link)
{
    char opening = '{';
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)link, name, value)
    {
        if (json_is_null(value))
            continue;
        fprintf(out, "%c%s=", opening, name);
        write_scalar(out, value);
        opening = ',';
    }
    if (opening == ',')
        fputc('}', out);
}

/* "1", "north,3", and with what is expanded below it "1(teams: 2 3)". */
static void write_key(FILE *out, const struct model *model, const json_t *record)
{
    const char *opening = "(";

    for (size_t i = 0; i < model->n_primary_key; i++) {
        const json_t *part = json_object_get(record, model->primary_key[i]->field_name);

        if (i)
            fputc(',', out);
        if (part)
            write_key_part(out, part);
    }
    for (size_t i = 0; i < model->n_relationships; i++) {
        const json_t *related = json_object_get(record, model->relationships[i].name);

        if (!is_any(related))
            continue;
        fprintf(out, "%s%s: ", opening, model->relationships[i].name);
        write_related(out, &model->relationships[i], related);
        opening = "; ";
    }
    if (*opening == ';')
        fputc(')', out);
    write_link(out, json_object_get(record, "@link"));
}

static void write_related(FILE *out, const struct relationship *relationship, const json_t *records)
{
    if (json_is_object(records))
        write_key(out, relationship->target, records);
    for (size_t i = 0; i < json_array_size(records); i++) {
        if (i)
            fputc(' ', out);
        write_key(out, relationship->target, json_array_get(records, i));
    }
}

/* Yours to free; NULL: the cell is NULL. */
static char *cell_of(const struct output *output, const json_t *record, size_t position)
{
    const struct relationship *relationship =
        position < output->n_columns ? NULL : output->relationships[position - output->n_columns];
    const json_t *value = json_object_get(
        record, relationship ? relationship->name : output->columns[position]->field_name);
    char *text = NULL;
    size_t size;

    if (!value || json_is_null(value) || (relationship && !is_any(value)))
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (relationship)
        write_related(out, relationship, value);
    else
        write_scalar(out, value);
    fclose(out);
    return text;
}

static char *etag_of(const json_t *record)
{
    const char *etag = json_string_value(json_object_get(record, ETAG));

    return etag ? strdup(etag) : NULL;
}

/* ---- the sheet of a model ---- */

/* Is the relationship named by an expand path, at its first step? */
static bool expand_names(const char *expand, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = expand; at; at = strchr(at, ',')) {
        at += strspn(at, ", ");
        if (!strncmp(at, name, length) && (!at[length] || strchr(" ,.", at[length])))
            return true;
    }
    return false;
}

static bool page_shows(const json_t *records, const char *name)
{
    for (size_t i = 0; i < json_array_size(records); i++) {
        if (json_object_get(json_array_get(records, i), name))
            return true;
    }
    return false;
}

static int begin_sheet(struct output *output, const json_t *records)
{
    int result = schema_fetch(output->context, &output->models);
    if (!result)
        result = schema_find(output->context, output->models, output->model_name, &output->model);
    if (result)
        return result;

    const struct model *model = output->model;
    struct sheet_column *columns =
        calloc(model->n_columns + model->n_relationships + 2, sizeof(*columns));
    output->relationships = calloc(model->n_relationships + 1, sizeof(void *));
    output->columns = calloc(model->n_columns + 1, sizeof(void *));
    if (!columns || !output->relationships || !output->columns) {
        free(columns);
        return report_local(output->context, "out of memory");
    }
    size_t n = 0;
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];

        if (output->fields && !column->primary_key &&
            !expand_names(output->fields, column->field_name))
            continue;
        output->columns[output->n_columns++] = column;
        columns[n++] = (struct sheet_column){column->field_name, is_number(column)};
    }
    for (size_t i = 0; i < model->n_relationships; i++) {
        const char *name = model->relationships[i].name;

        if (!expand_names(output->expand, name) && !page_shows(records, name))
            continue;
        output->relationships[output->n_relationships++] = &model->relationships[i];
        columns[n++] = (struct sheet_column){name, false};
    }
    output->etags = page_shows(records, ETAG);
    if (output->etags)
        columns[n++] = (struct sheet_column){ETAG, false};
    output->sheet = sheet_new(output->context->arguments.format == FORMAT_CSV, columns, n);
    free(columns);
    return output->sheet ? 0 : report_local(output->context, "out of memory");
}

static int write_failed(const struct output *output)
{
    /* A failure of stdout itself is told at the end of the program. */
    return text_output_error() ? EXIT_OTHER : report_local(output->context, "out of memory");
}

static int sheet_page(struct output *output, const json_t *records)
{
    int result = output->sheet ? 0 : begin_sheet(output, records);
    if (result)
        return result;

    size_t n = output->n_columns + output->n_relationships;
    char **cells = calloc(n + 2, sizeof(char *));
    if (!cells)
        return report_local(output->context, "out of memory");
    bool written = true;
    for (size_t i = 0; i < json_array_size(records) && written; i++) {
        for (size_t j = 0; j < n; j++)
            cells[j] = cell_of(output, json_array_get(records, i), j);
        if (output->etags)
            cells[n] = etag_of(json_array_get(records, i));
        written = sheet_row(output->sheet, (const char *const *)cells);
        for (size_t j = 0; j <= n; j++)
            free(cells[j]);
    }
    free(cells);
    return written && sheet_flush(output->sheet) ? 0 : write_failed(output);
}

/* ---- pages ---- */

static void print_record(const struct output *output, const json_t *record, size_t index)
{
    if (output->context->arguments.format == FORMAT_JSONL) {
        text_write_json(stdout, record, false);
        putchar('\n');
        return;
    }
    if (output->one) {
        text_write_json(stdout, record, true);
        return;
    }
    fputs(index ? ",\n  " : "[\n  ", stdout);
    text_write_element(stdout, record);
}

int output_new(struct context *context, const char *model, const char *expand, bool one,
               struct output **ret_output)
{
    struct output *output = calloc(1, sizeof(*output));

    if (output) {
        output->context = context;
        output->one = one;
        output->model_name = strdup(model);
        output->expand = expand ? strdup(expand) : NULL;
    }
    if (!output || !output->model_name || (expand && !output->expand)) {
        output_free(output);
        return report_local(context, "out of memory");
    }
    *ret_output = output;
    return 0;
}

void output_fields(struct output *output, const char *fields)
{
    output->fields = fields;
}

int output_page(struct output *output, const char *text)
{
    json_error_t error;
    json_t *records = json_loads(text ? text : "", JSON_ALLOW_NUL, &error);
    int result = 0;

    if (!records)
        return report_local(output->context, "the result is broken JSON: %s", error.text);
    if (!json_is_array(records))
        records = json_pack("[o]", records);
    if (is_sheet(output->context))
        result = sheet_page(output, records);
    else
        for (size_t i = 0; i < json_array_size(records); i++)
            print_record(output, json_array_get(records, i), output->n_records + i);
    output->n_records += json_array_size(records);
    json_decref(records);
    if (!result && !text_flush())
        result = EXIT_OTHER;
    return result;
}

int output_end(struct output *output)
{
    if (output->context->arguments.format == FORMAT_JSON)
        fputs(output->one ? "\n" : output->n_records ? "\n]\n" : "[]\n", stdout);
    return 0;
}

size_t output_count(const struct output *output)
{
    return output->n_records;
}

void output_free(struct output *output)
{
    if (!output)
        return;
    sheet_free(output->sheet);
    models_unref(output->models);
    free(output->columns);
    free(output->relationships);
    free(output->model_name);
    free(output->expand);
    free(output);
}

int output_records(struct context *context, const char *model, const char *expand, bool one,
                   const char *text)
{
    struct output *output;
    int result = output_new(context, model, expand, one, &output);

    if (result)
        return result;
    result = output_page(output, text);
    if (!result)
        result = output_end(output);
    output_free(output);
    return result;
}

/* ---- everything else ---- */

int output_json(struct context *context, const json_t *value)
{
    bool lines = context->arguments.format == FORMAT_JSONL;

    if (lines && json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            text_write_json(stdout, json_array_get(value, i), false);
            putchar('\n');
        }
        return EXIT_DONE;
    }
    text_write_json(stdout, value, !lines);
    putchar('\n');
    return EXIT_DONE;
}

int output_json_text(struct context *context, const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    if (!value) {
        puts(text);
        return EXIT_DONE;
    }
    output_json(context, value);
    json_decref(value);
    return EXIT_DONE;
}

static int summary_csv(struct context *context, json_t *object)
{
    const char *separator = "";
    void *at;

    (void)context;
    for (at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        printf("%s%s", separator, json_object_iter_key(at));
        separator = ",";
    }
    fputs("\r\n", stdout);
    separator = "";
    for (at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        fputs(separator, stdout);
        write_scalar(stdout, json_object_iter_value(at));
        separator = ",";
    }
    fputs("\r\n", stdout);
    return EXIT_DONE;
}

int output_summary(struct context *context, json_t *object, const char *format, ...)
{
    va_list values;

    if (!object)
        return report_local(context, "out of memory");
    if (context->arguments.validate_only)
        json_object_del(object, "commit"); /* there was none */
    switch (context->arguments.format) {
    case FORMAT_JSON:
    case FORMAT_JSONL:
        output_json(context, object);
        break;
    case FORMAT_CSV:
        summary_csv(context, object);
        break;
    case FORMAT_TABLE:
        va_start(values, format);
        vprintf(format, values);
        va_end(values);
        putchar('\n');
        break;
    }
    json_decref(object);
    return EXIT_DONE;
}
