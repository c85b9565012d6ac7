/*
 * What a command is given to send: FIELD=VALUE words, JSON text, or standard
 * input, made into JSON text for the library. Knows no models: values stay
 * text, which the library reads by the column's type.
 */
#ifndef HERO_CLI_INPUT_H
#define HERO_CLI_INPUT_H

#include "context.h"

/* Reads what stands after MODEL (and KEY): FIELD=VALUE (FIELD:=JSON) words,
 * or one word of JSON, or "-". ret_json is yours to free. Returns 0, or the
 * exit code after the failure was told. n_words may be 0 where nulls are given. */
int input_record(struct context *context, char **words, size_t n_words, char **ret_json);
/* The same of one word that is JSON or "-". */
int input_json(struct context *context, const char *word, char **ret_json);

/* One JSON value stays as it is; several, as in JSON lines, become an array.
 * Returns NULL or what is wrong, in `problem`. */
char *input_join_values(const char *text, size_t length, char problem[256]);

/* --set role=lead and the like, for each of the request's links. NULL allowed.
 * 0, or the exit code after the failure was told and the request freed. */
int input_link_columns(struct context *context, hero_request *request);

#endif
