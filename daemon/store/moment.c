/*
 * Owns the comparison of the log's index now with what it was when the
 * transaction began.
 *
 * Every commit to a database in WAL mode, by whatever process, changes the
 * header of the index (sqlite.org/walformat.html, 2.1: iChange, mxFrame and
 * their checksum), which SQLite keeps in shared memory. The pointer to it
 * comes from SQLite itself, by the VFS interface; a file of our own on it
 * would, when closed, drop the locks that SQLite holds on it.
 */
#include <string.h>
#include "moment.h"

/* The size that SQLite maps the index by. */
#define INDEX_REGION_BYTES 32768

/* NULL: not to be had; then no moment outlives its read. */
static const volatile uint32_t *index_header(struct db *db)
{
    sqlite3_file *file = NULL;
    volatile void *region = NULL;
    if (db->index)
        return db->index;
    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file || !file->pMethods || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap(file, 0, INDEX_REGION_BYTES, 0, &region) != SQLITE_OK)
        return NULL;
    db->index = region; /* stays where it is while the connection is open */
    return db->index;
}

/* Others write it while we look; what is read torn differs, and a moment that
 * ends too early does no harm. */
__attribute__((no_sanitize("thread"))) static bool same(const volatile uint32_t *header,
                                                        const uint32_t *seen)
{
    for (size_t i = 0; i < MOMENT_WORDS; i++)
        if (header[i] != seen[i])
            return false;
    return true;
}

__attribute__((no_sanitize("thread"))) static void copy(const volatile uint32_t *header,
                                                        uint32_t *seen)
{
    for (size_t i = 0; i < MOMENT_WORDS; i++)
        seen[i] = header[i];
}

Code moment_begin(struct db *db, struct fault *fault)
{
    const volatile uint32_t *header = index_header(db);
    bool open = db_in_transaction(db);
    if (open && header && same(header, db->seen))
        return HERO__V1__CODE__OK;
    struct echo *echo = db->echo; /* of the reads, not of what holds them together */
    db->echo = NULL;
    if (open)
        moment_end(db);
    /* Before the transaction: what is committed in between makes it end early. */
    if (header)
        copy(header, db->seen);
    Code code = db_run(db, "BEGIN", fault);
    /* BEGIN alone sees nothing yet: the moment is now, not at the first read. */
    if (code == HERO__V1__CODE__OK)
        code = db_run(db, "SELECT 1 FROM sqlite_schema LIMIT 0", fault);
    db->echo = echo;
    return code;
}

void moment_end(struct db *db)
{
    struct fault ignored = FAULT_INIT;
    struct echo *echo = db->echo;
    if (!db_in_transaction(db))
        return;
    db->echo = NULL;
    /* The end of a read has nothing that could fail; where it does, a
     * statement is still open, and then there is no going on. */
    if (db_run(db, "COMMIT", &ignored) != HERO__V1__CODE__OK)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    fault_done(&ignored);
    db->echo = echo;
}
