/* Database files as heroctl infer takes them: anybody's, damaged too. What
 * comes out is text that no name of the database has left a comment or a
 * literal of. */
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "infer/infer.h"

/* Outside of literals and comments the text has these characters alone. */
static void check_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '"') {
            for (text++; *text != '"'; text++) {
                if (*text == '\0' || *text == '\n')
                    abort();
                text += *text == '\\';
            }
        } else if (text[0] == '/' && text[1] == '/') {
            text += strcspn(text, "\n");
        } else if ((*text < ' ' && *text != '\n') || *text == 0x7f || strchr("'`$\\", *text)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct infer_options options = {.path = "fuzz", .rows = 1000, .seconds = 1};
    struct fault fault = FAULT_INIT;
    struct db db;
    char *text = NULL;
    size_t text_len = 0;
    FILE *out = open_memstream(&text, &text_len);
    uint8_t *copy = sqlite3_malloc64(len + 1);

    if (!out || !copy)
        abort();
    if (db_open_readonly(&db, "file::memory:", 0, &fault) != HERO__V1__CODE__OK)
        abort();
    memcpy(copy, bytes, len);
    sqlite3_deserialize(db.handle, "main", copy, (int64_t)len, (int64_t)len,
                        SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
    Code code = infer_database(&db, &options, out, &fault);
    fclose(out);
    if ((code == HERO__V1__CODE__OK) == (text_len == 0))
        abort();
    check_text(text);
    db_close(&db);
    fault_done(&fault);
    free(text);
    return 0;
}
