/*
 * Text for people and programs: JSON as heroctl writes it, numbers, and what
 * must be escaped on a terminal. Knows no models.
 */
#ifndef HERO_CLI_TEXT_H
#define HERO_CLI_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <jansson.h>

/* Integers exact, reals in the shortest form that reads back the same, UTF-8
 * as it is, control characters escaped. */
void text_write_json(FILE *out, const json_t *value, bool pretty);
/* Indented as an element of an array that is being written. */
void text_write_element(FILE *out, const json_t *value);
/* The shortest decimal form of a finite real. */
void text_of_real(char buffer[32], double real);
/* UTF-8 text with control characters as \n, \t, \r or \xHH; newlines stay
 * where keep_lines. Yours to free; NULL: no memory. */
char *text_escaped(const char *text, size_t length, bool keep_lines);
/* Writes such text. */
void text_write_escaped(FILE *out, const char *text, bool keep_lines);

/* Flushes standard output. False: it failed, now or before; text_output_error()
 * is the errno of the first failure that was seen. */
bool text_flush(void);
int text_output_error(void);

/* A member by its name in the .proto or in lowerCamelCase. */
json_t *text_member(const json_t *object, const char *name);
/* An integer that may be written as text, as ProtoJSON writes 64 bits. */
bool text_integer(const json_t *value, int64_t *ret_integer);

#endif
