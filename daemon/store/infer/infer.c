/*
 * Inference as a whole: opens the file so that nothing can change it, takes
 * the steps one after the other, prints. The file is anybody's: its schema is
 * not trusted, its values are data, and what it takes is bounded.
 */
#include "infer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../internal.h"
#include "scan.h"

/* Everything that a set of models can say fits well within. */
#define INFER_ARENA_BYTES (256u * 1024 * 1024)
#define BUSY_MS 5000
#define MOST_COMMENT_BYTES 1000

Code infer_no_memory(struct infer *infer)
{
    return fault_set(infer->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the database's schema takes more memory than there is for it");
}

void *infer_grown(struct arena *arena, void *elements, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) /* room until the next power of two */
        return elements;
    void *larger = arena_array(arena, n == 0 ? 1 : 2 * n, size);
    if (larger && n > 0)
        memcpy(larger, elements, n * size);
    return larger;
}

/* A line break in a name must not end the comment. */
static const char *one_line(struct arena *arena, const char *text)
{
    size_t len = strlen(text), n = 0;
    bool valid = scan_text_valid(text, len);
    char *line = arena_alloc(arena, 4 * len + 1);
    for (size_t i = 0; line && i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !valid))
            n += (size_t)sprintf(line + n, "\\x%02x", c);
        else
            line[n++] = (char)c;
    }
    return line;
}

void infer_say(struct infer *infer, struct infer_comments *comments, const char *format, ...)
{
    char text[MOST_COMMENT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len >= (int)sizeof(text)) {
        size_t end = sizeof(text) - 4;
        while (end > 0 && (text[end] & 0xc0) == 0x80)
            end--;
        strcpy(text + end, "...");
    }
    const char *line = one_line(infer->arena, text);
    comments->lines =
        infer_grown(infer->arena, comments->lines, comments->n, sizeof(*comments->lines));
    if (comments->lines && line)
        comments->lines[comments->n++] = line;
}

struct infer_column *infer_column_named(const struct infer_table *table, const char *name)
{
    for (size_t i = 0; name && i < table->n_columns; i++)
        if (sqlite3_stricmp(table->columns[i].shape->name, name) == 0)
            return &table->columns[i];
    return NULL;
}

struct infer_table *infer_table_named(const struct infer *infer, const char *name)
{
    for (size_t i = 0; name && i < infer->n_tables; i++)
        if (sqlite3_stricmp(infer->tables[i].shape.name, name) == 0)
            return &infer->tables[i];
    return NULL;
}

/* ---- opening ---- */

/* In WAL mode SQLite makes files beside the database even to read it; where no
 * log is there nobody writes, and it can be read as something that stays. */
static bool is_at_rest_in_wal_mode(const char *path)
{
    char wal[4096];
    unsigned char header[20] = {0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : pread(fd, header, sizeof(header), 0);
    if (fd >= 0)
        close(fd);
    if (n != sizeof(header) || header[18] != 2 || header[19] != 2)
        return false;
    return snprintf(wal, sizeof(wal), "%s-wal", path) < (int)sizeof(wal) &&
           stat(wal, &status) != 0 && errno == ENOENT;
}

/* file:/path with what URIs give a meaning escaped. */
static char *uri_of(const char *path, bool at_rest)
{
    char *whole = realpath(path, NULL);
    char *uri = whole ? malloc(3 * strlen(whole) + 32) : NULL, *to = uri;
    if (uri)
        to += sprintf(to, "file:");
    for (const char *at = whole; uri && *at; at++) {
        if (strchr("?#%", *at))
            to += sprintf(to, "%%%02X", (unsigned char)*at);
        else
            *to++ = *at;
    }
    if (uri)
        strcpy(to, at_rest ? "?immutable=1" : "?mode=ro");
    free(whole);
    return uri;
}

static Code check_file(const char *path, struct fault *fault)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return fault_set(fault,
                         errno == ENOENT ? HERO__V1__CODE__NOT_FOUND
                                         : HERO__V1__CODE__FAILED_PRECONDITION,
                         "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s: it is no regular file",
                         path);
    return HERO__V1__CODE__OK;
}

/* ---- the whole ---- */

static void tell_left_out(struct infer *infer)
{
    for (size_t t = 0; t < infer->n_tables; t++)
        if (infer->tables[t].left_out)
            infer_say(infer, &infer->comments, "No model of %s: %s.", infer->tables[t].shape.name,
                      infer->tables[t].left_out);
}

static Code take_steps(struct infer *infer)
{
    Code code = infer_read(infer);
    if (code == HERO__V1__CODE__OK)
        code = infer_look(infer);
    if (code != HERO__V1__CODE__OK)
        return code;
    infer_kinds(infer);
    infer_names(infer);
    code = infer_keys(infer);
    if (code != HERO__V1__CODE__OK)
        return code;
    infer_defaults(infer);
    code = infer_relationships(infer);
    tell_left_out(infer);
    return code == HERO__V1__CODE__OK && infer->arena->exhausted ? infer_no_memory(infer) : code;
}

Code infer_database(struct db *db, const struct infer_options *options, FILE *out,
                    struct fault *fault)
{
    struct arena arena;
    struct infer infer = {.db = db, .arena = &arena, .fault = fault, .options = options};
    const char *slash = strrchr(options->path, '/');
    arena_init(&arena, INFER_ARENA_BYTES);
    infer_say(&infer, &infer.comments, "Models of %s, as heroctl infer found it.",
              slash ? slash + 1 : options->path);
    Code code = db_run(db, "BEGIN", fault); /* all of it as of one moment */
    if (code == HERO__V1__CODE__OK)
        code = take_steps(&infer);
    if (code == HERO__V1__CODE__OK)
        infer_print(&infer, out);
    arena_done(&arena);
    return code;
}

Code store_infer(const struct infer_options *options, FILE *out, struct fault *fault)
{
    struct db db;
    struct fault own = FAULT_INIT;
    Code code = check_file(options->path, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    char *uri = uri_of(options->path, is_at_rest_in_wal_mode(options->path));
    if (!uri)
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION, "%s: %s", options->path,
                         strerror(errno));
    code = db_open_readonly(&db, uri, BUSY_MS, &own);
    if (code == HERO__V1__CODE__OK) {
        code = infer_database(&db, options, out, &own);
        db_close(&db);
    }
    if (code != HERO__V1__CODE__OK)
        fault_set(fault, code, "%s: %s", options->path, own.message ? own.message : "unreadable");
    fault_done(&own);
    free(uri);
    return code;
}
