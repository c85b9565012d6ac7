/*
 * What texts of a format look like: dates, times, uuids, decimals. One form
 * for each on the wire, whoever wrote it; knows no columns and no JSON.
 */
#ifndef HERO_PROTO_FORMATS_H
#define HERO_PROTO_FORMATS_H

#include "arena.h"

/* 2026-11-23, a day of the calendar, from 0001-01-01 to 9999-12-31. */
bool format_is_date(const char *text, size_t len);

/* A moment: seconds since 1970 and nanoseconds of the second, as
 * google.protobuf.Timestamp has it. */
struct moment {
    int64_t seconds;
    int32_t nanos;
};
#define MOMENT_TEXT_SIZE 40

/* From year 1 to 9999, with 0 to 999,999,999 nanoseconds? */
bool moment_is_valid(struct moment moment);
/* RFC 3339: 2026-11-23T01:02:03Z, with a fraction and an offset where given.
 * `loose`: also what databases hold: a blank for the T, no zone (it is UTC),
 * no seconds, no time. */
bool moment_read(const char *text, size_t len, bool loose, struct moment *ret_moment);
/* 2026-11-23T01:02:03.500Z: 0, 3, 6 or 9 digits, as ProtoJSON has it. */
void moment_write_rfc3339(struct moment moment, char text[MOMENT_TEXT_SIZE]);
/* 2026-11-23 01:02:03.500000: as SQLAlchemy stores it. */
void moment_write_sql(struct moment moment, char text[MOMENT_TEXT_SIZE]);

/* 123e4567-e89b-12d3-a456-426614174000. Read with or without dashes, in any case. */
#define UUID_TEXT_SIZE 37
bool format_uuid(const char *text, size_t len, char ret_text[UUID_TEXT_SIZE]);
/* Its 32 digits. */
void format_uuid_digits(const char text[UUID_TEXT_SIZE], char ret_digits[33]);
/* A random one (version 4). */
void format_uuid_new(char ret_text[UUID_TEXT_SIZE]);

/* An exact number, written in one way only: no exponent, no zeros that say
 * nothing ("0.50" is "0.5", "-0" is "0"). NULL: no decimal, one of more than
 * DECIMAL_MAX_DIGITS digits, or no memory (arena->exhausted tells). */
#define DECIMAL_MAX_DIGITS 1000
char *format_decimal(struct arena *arena, const char *text, size_t len);

#endif
