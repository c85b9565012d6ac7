/*
 * Echo: the SQL that a call executed, with bound values and time.
 *
 * Memory is a budgeted arena of the caller's; past it statements are counted
 * only. Knows no SQLite.
 */
#include <string.h>
#include "internal.h"

/* A statement with a large value bound is cut here: nobody reads on. */
#define MAX_TEXT 4096

void echo_init(struct echo *echo, struct arena *arena)
{
    memset(echo, 0, sizeof(*echo));
    echo->arena = arena;
    echo->last = &echo->first;
}

static char *copy_text(struct arena *arena, const char *sql)
{
    size_t len = strnlen(sql, MAX_TEXT + 1);
    if (len <= MAX_TEXT)
        return arena_copy(arena, sql, len + 1);
    len = MAX_TEXT;
    /* never half a character */
    while (len > 0 && ((unsigned char)sql[len] & 0xc0) == 0x80)
        len--;
    char *text = arena_alloc(arena, len + sizeof("..."));
    if (text) {
        memcpy(text, sql, len);
        memcpy(text + len, "...", sizeof("..."));
    }
    return text;
}

void echo_add(struct echo *echo, const char *sql, uint64_t time_us)
{
    struct echo_statement *statement = arena_alloc(echo->arena, sizeof(*statement));
    char *text = statement ? copy_text(echo->arena, sql) : NULL;
    if (!text) {
        echo->n_dropped++;
        return;
    }
    statement->sql = text;
    statement->time_us = time_us;
    *echo->last = statement;
    echo->last = &statement->next;
}
