/*
 * The database as a file: path, lifetime lock, and the looks it must pass
 * before SQLite opens it. Whatever is refused here is left as it was found.
 *
 * The lock is an open-file-description lock on a file of its own, and a
 * flock(2) on the database: that one holds under another name of the file (a
 * hard link) and when the lock file is removed. flock's locks and SQLite's
 * (fcntl) know nothing of each other; but closing any descriptor of the
 * database would drop SQLite's in this process, so this one stays open.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"

#define SQLITE_MAGIC "SQLite format 3" /* and its terminator */
#define SQLITE_HEADER_BYTES 100

static Code refuse(enum store_trouble trouble, enum store_trouble *ret_trouble)
{
    *ret_trouble = trouble;
    return trouble == STORE_TROUBLE_CORRUPT ? HERO__V1__CODE__DATA_LOSS
                                            : HERO__V1__CODE__FAILED_PRECONDITION;
}

static Code no_memory(enum store_trouble *ret_trouble, struct fault *fault)
{
    *ret_trouble = STORE_TROUBLE_MEMORY;
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
}

static bool disk_is_full(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

/* ---- the path ---- */

/* SQLite is told to follow no links (the file could be changed under it), and
 * two names of one file must find one lock: so the directory is resolved and
 * the last part must be the file itself. */
static Code resolve(struct file *file, const char *path, enum store_trouble *ret_trouble,
                    struct fault *fault)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *directory =
        slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!directory)
        return no_memory(ret_trouble, fault);
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        free(directory);
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                         "%s is a directory: give the database's file", path);
    }
    char *real = realpath(directory, NULL);
    if (!real) {
        int error = errno;
        fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                  error == ENOENT ? "%s: there is no directory %s: make it (mkdir -p) or give "
                                    "another path"
                                  : "%s: cannot reach its directory %s: %m",
                  path, directory);
        free(directory);
        return fault->code;
    }
    free(directory);
    if (asprintf(&file->path, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) < 0)
        file->path = NULL;
    if (!file->path || asprintf(&file->lock_path, "%s.lock", file->path) < 0)
        file->lock_path = NULL;
    free(real);
    return file->lock_path ? HERO__V1__CODE__OK : no_memory(ret_trouble, fault);
}

/* ---- the lock ---- */

static int try_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

static Code refuse_locked(const struct file *file, int fd, enum store_trouble *ret_trouble,
                          struct fault *fault)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    refuse(STORE_TROUBLE_LOCKED, ret_trouble);
    if (pid > 0)
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "%s: already running, pid %ld; stop that herod or use another database",
                         file->path, pid);
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "%s: another herod is running on it (%s is locked)", file->path,
                     file->lock_path);
}

/* Is the file that was locked still the one at the path? */
static bool still_there(int fd, const char *path)
{
    struct stat opened, found;
    return fstat(fd, &opened) == 0 && stat(path, &found) == 0 && opened.st_dev == found.st_dev &&
           opened.st_ino == found.st_ino;
}

static Code take_lock(struct file *file, enum store_trouble *ret_trouble, struct fault *fault)
{
    for (;;) {
        int fd = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                             "%s: cannot open its lock file %s: %m; herod needs to write in that "
                             "directory",
                             file->path, file->lock_path);
        if (try_lock(fd) != 0) {
            Code code = errno == EAGAIN || errno == EACCES
                            ? refuse_locked(file, fd, ret_trouble, fault)
                            : fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                                        "%s: cannot lock %s: %m", file->path, file->lock_path);
            close(fd);
            return code;
        }
        if (still_there(fd, file->lock_path)) {
            file->lock_fd = fd;
            return HERO__V1__CODE__OK;
        }
        close(fd); /* someone removed it meanwhile: another herod may have the new one */
    }
}

/* For people and for the message of a second herod; the lock is what counts,
 * so a full disk is no reason to stop. */
static void write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) < 0) {
        /* an empty lock file locks as well */
    }
}

/* ---- the looks ---- */

static Code make(struct file *file, enum store_trouble *ret_trouble, struct fault *fault)
{
    int fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        if (disk_is_full(errno)) {
            *ret_trouble = STORE_TROUBLE_OPEN;
            return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                             "%s: cannot create it: the disk is full", file->path);
        }
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble), "%s: cannot create it: %m",
                         file->path);
    }
    fchmod(fd, 0600); /* whatever the umask; SQLite gives its other files the same */
    close(fd);
    file->created = true;
    return HERO__V1__CODE__OK;
}

static Code check_kind(const struct file *file, const struct stat *status,
                       enum store_trouble *ret_trouble, struct fault *fault)
{
    if (S_ISLNK(status->st_mode))
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                         "%s is a symbolic link: give the path it leads to", file->path);
    if (S_ISDIR(status->st_mode))
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                         "%s is a directory: give the database's file", file->path);
    if (!S_ISREG(status->st_mode))
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
                         "%s is no regular file: give another path", file->path);
    return HERO__V1__CODE__OK;
}

static Code check_access(const struct file *file, enum store_trouble *ret_trouble,
                         struct fault *fault)
{
    if (faccessat(AT_FDCWD, file->path, R_OK | W_OK, AT_EACCESS) == 0)
        return HERO__V1__CODE__OK;
    return fault_set(
        fault, refuse(STORE_TROUBLE_OPEN, ret_trouble),
        errno == EROFS ? "%s is on a file system that is mounted read-only: remount it or use "
                         "another path (%m)"
                       : "%s cannot be read and written: %m; make it the property of herod's user",
        file->path);
}

/* SQLite says so, too, but only after it made files beside a stranger's. */
static Code check_magic(const struct file *file, enum store_trouble *ret_trouble,
                        struct fault *fault)
{
    char header[SQLITE_HEADER_BYTES];
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble), "%s: %m", file->path);
    ssize_t n = pread(fd, header, sizeof(header), 0);
    int error = errno;
    close(fd);
    if (n < 0) {
        errno = error;
        return fault_set(fault, refuse(STORE_TROUBLE_IO, ret_trouble), "%s: cannot read it: %m",
                         file->path);
    }
    if (n == 0 ||
        (n == (ssize_t)sizeof(header) && memcmp(header, SQLITE_MAGIC, sizeof(SQLITE_MAGIC)) == 0))
        return HERO__V1__CODE__OK;
    return fault_set(fault, refuse(STORE_TROUBLE_CORRUPT, ret_trouble),
                     "%s is not a SQLite database: give another path, or put the right file there",
                     file->path);
}

/* What is there already; OK with *ret_found false where nothing is. */
static Code look(struct file *file, bool *ret_found, enum store_trouble *ret_trouble,
                 struct fault *fault)
{
    struct stat status;
    *ret_found = lstat(file->path, &status) == 0;
    if (!*ret_found && errno == ENOENT)
        return HERO__V1__CODE__OK;
    if (!*ret_found)
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble), "%s: %m", file->path);
    Code code = check_kind(file, &status, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = check_access(file, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = check_magic(file, ret_trouble, fault);
    file->size = (uint64_t)status.st_size;
    return code;
}

static void look_for_wal(struct file *file)
{
    char path[PATH_MAX];
    struct stat status;
    int len = snprintf(path, sizeof(path), "%s-wal", file->path);
    if (len > 0 && (size_t)len < sizeof(path) && stat(path, &status) == 0)
        file->wal_size = (uint64_t)status.st_size;
}

static Code lock_database(struct file *file, enum store_trouble *ret_trouble, struct fault *fault)
{
    file->database_fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file->database_fd < 0)
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble), "%s: %m", file->path);
    if (flock(file->database_fd, LOCK_EX | LOCK_NB) == 0)
        return HERO__V1__CODE__OK;
    if (errno != EWOULDBLOCK)
        return fault_set(fault, refuse(STORE_TROUBLE_OPEN, ret_trouble), "%s: cannot lock it: %m",
                         file->path);
    return fault_set(
        fault, refuse(STORE_TROUBLE_LOCKED, ret_trouble),
        "%s: already running: another herod has this file, perhaps under another name; "
        "stop that one or use another database",
        file->path);
}

static Code claim(struct file *file, const char *path, enum store_trouble *ret_trouble,
                  struct fault *fault)
{
    bool found = false;
    struct stat status;
    Code code = resolve(file, path, ret_trouble, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    /* Where no herod ever was, a stranger's file must not even get a lock file. */
    if (lstat(file->lock_path, &status) != 0)
        code = look(file, &found, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = take_lock(file, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = look(file, &found, ret_trouble, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!found)
        code = make(file, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = lock_database(file, ret_trouble, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    write_pid(file->lock_fd);
    look_for_wal(file);
    return HERO__V1__CODE__OK;
}

Code file_claim(struct file *file, const char *path, enum store_trouble *ret_trouble,
                struct fault *fault)
{
    memset(file, 0, sizeof(*file));
    file->lock_fd = file->database_fd = -1;
    Code code = claim(file, path, ret_trouble, fault);
    if (code != HERO__V1__CODE__OK)
        file_release(file);
    return code;
}

void file_release(struct file *file)
{
    struct stat status;
    if (file->created && stat(file->path, &status) == 0 && status.st_size == 0)
        unlink(file->path);
    if (file->database_fd >= 0)
        close(file->database_fd);
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    free(file->path);
    free(file->lock_path);
    memset(file, 0, sizeof(*file));
    file->lock_fd = file->database_fd = -1;
}
