/*
 * Results on standard output in the form that -o asks for.
 */
#ifndef HERO_CLI_OUTPUT_H
#define HERO_CLI_OUTPUT_H

#include "context.h"
#include "sheet.h"

/* ---- records ---- */

/* Records of one model, printed page by page. */
struct output;

/* expand: relationships that get columns, also where no record has any; NULL:
 * those that the first page shows. one: JSON is the record, not an array of
 * it. 0, or the exit code after the failure was told. */
int output_new(struct context *context, const char *model, const char *expand, bool one,
               struct output **ret_output);
/* Table and CSV show these columns alone, besides the key: "name,age"; NULL:
 * all. Before the first page. */
void output_fields(struct output *output, const char *fields);
/* A page: the text of a result, an array of records or one. */
int output_page(struct output *output, const char *text);
/* After the last page. */
int output_end(struct output *output);
void output_free(struct output *output);
/* Records printed so far. */
size_t output_count(const struct output *output);

/* One result that is a single page. */
int output_records(struct context *context, const char *model, const char *expand, bool one,
                   const char *text);

/* ---- everything else ---- */

/* Prints a JSON value: indented, or on one line with -o jsonl (an array: a line for each). */
int output_json(struct context *context, const json_t *value);
/* The same of JSON text; what can't be parsed is printed as it came. */
int output_json_text(struct context *context, const char *text);
/* With -o json and jsonl the object; with csv its members as header and row; else the text. */
int output_summary(struct context *context, json_t *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
