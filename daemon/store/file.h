/*
 * The database as a file: where it is, who may have it, and what it looks
 * like before SQLite touches it.
 *
 * Knows files and locks; no SQLite.
 */
#ifndef HERO_STORE_FILE_H
#define HERO_STORE_FILE_H

#include "store.h"

struct file {
    char *path;              /* its directory without symbolic links */
    char *lock_path;         /* beside it; the lock file stays */
    int lock_fd;             /* -1: not locked */
    int database_fd;         /* of the database, locked too; -1: none */
    bool created;            /* by file_claim */
    uint64_t size, wal_size; /* as they were found */
};

/* Takes the lifetime lock and looks: on success the file is there (made with
 * mode 0600 if it was missing), may be written, and is empty or begins as a
 * SQLite database. Refusals leave it as it was; the fault's message names path
 * and remedy. */
MUST_CHECK Code file_claim(struct file *file, const char *path, enum store_trouble *ret_trouble,
                           struct fault *fault);
/* Gives up the lock; removes the file if file_claim made it and nothing was written. */
void file_release(struct file *file);

#endif
