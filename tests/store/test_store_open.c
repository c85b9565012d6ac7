/* Opening: what cannot be served is refused by kind, path and remedy, and stays as it was. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fixture.h"

static ProtobufCBinaryData slurp(struct fixture *f, const char *path)
{
    ProtobufCBinaryData bytes = {0, NULL};
    struct stat status;
    FILE *in = fopen(path, "rb");
    if (!in)
        return bytes;
    assert_int_equal(fstat(fileno(in), &status), 0);
    bytes.data = arena_alloc(&f->arena, (size_t)status.st_size + 1);
    bytes.len = fread(bytes.data, 1, (size_t)status.st_size, in);
    fclose(in);
    return bytes;
}

/* Refused with this trouble and these words, on one line, the file untouched. */
static void refused(struct fixture *f, enum store_trouble trouble, const char *words)
{
    char wal[320];
    snprintf(wal, sizeof(wal), "%s-wal", f->database);
    ProtobufCBinaryData before = slurp(f, f->database), wal_before = slurp(f, wal);
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_null(f->store);
    if (f->trouble != trouble || !strstr(f->fault.message, words))
        fixture_print_fault(f);
    assert_int_equal(f->trouble, trouble);
    assert_non_null(strstr(f->fault.message, words));
    assert_non_null(strstr(f->fault.message, strrchr(f->database, '/')));
    assert_null(strchr(f->fault.message, '\n'));
    ProtobufCBinaryData after = slurp(f, f->database), wal_after = slurp(f, wal);
    assert_int_equal(after.len, before.len);
    assert_int_equal(wal_after.len, wal_before.len);
    if (before.len > 0)
        assert_memory_equal(after.data, before.data, before.len);
    if (wal_before.len > 0)
        assert_memory_equal(wal_after.data, wal_before.data, wal_before.len);
}

static void fresh(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    mode_t mask = umask(0);
    fixture_open(f);
    umask(mask);
    assert_true(store_writable(f->store));
    assert_int_equal(stat(f->database, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    char path[320];
    snprintf(path, sizeof(path), "%s-wal", f->database);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    fixture_close(f);
    assert_int_equal(stat(path, &status), -1); /* closed cleanly: nothing to recover */
    snprintf(path, sizeof(path), "%s.lock", f->database);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_string_equal(fixture_query(f, "PRAGMA application_id"), "0\n");
    assert_string_equal(fixture_query(f, "PRAGMA user_version"), "0\n");
}

static void restrictive_umask(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    mode_t mask = umask(0777);
    Code code = fixture_try_open(f);
    umask(mask);
    assert_int_equal(code, HERO__V1__CODE__OK);
    assert_int_equal(stat(f->database, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void strangers_file(void **state)
{
    struct fixture *f = *state;
    fixture_sql(f, "PRAGMA application_id = 7; PRAGMA user_version = 9; CREATE TABLE x (y);"
                   "INSERT INTO x VALUES (1)");
    fixture_open(f);
    fixture_close(f);
    assert_string_equal(fixture_query(f, "PRAGMA application_id"), "7\n");
    assert_string_equal(fixture_query(f, "PRAGMA user_version"), "9\n");
    assert_string_equal(fixture_query(f, "SELECT y FROM x"), "1\n");
}

static void paths(void **state)
{
    struct fixture *f = *state;
    char link[320], directory[256];
    strcpy(directory, f->directory);
    snprintf(f->database, sizeof(f->database), "%s/missing/hero.db", directory);
    refused(f, STORE_TROUBLE_OPEN, "mkdir -p");
    snprintf(f->database, sizeof(f->database), "%s/folder", directory);
    assert_int_equal(mkdir(f->database, 0700), 0);
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_int_equal(f->trouble, STORE_TROUBLE_OPEN);
    assert_non_null(strstr(f->fault.message, "is a directory"));
    snprintf(f->database, sizeof(f->database), "%s/", directory);
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    snprintf(f->database, sizeof(f->database), "%s/pipe", directory);
    assert_int_equal(mkfifo(f->database, 0600), 0);
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK); /* and does not hang */
    assert_non_null(strstr(f->fault.message, "no regular file"));
    snprintf(f->database, sizeof(f->database), "%s/real.db", directory);
    fixture_open(f);
    fixture_close(f);
    snprintf(link, sizeof(link), "%s/link.db", directory);
    assert_int_equal(symlink(f->database, link), 0);
    strcpy(f->database, link);
    refused(f, STORE_TROUBLE_OPEN, "symbolic link");
    snprintf(link, sizeof(link), "%s/way", directory); /* a link on the way is resolved */
    assert_int_equal(symlink(directory, link), 0);
    snprintf(f->database, sizeof(f->database), "%s/way/real.db", directory);
    fixture_open(f);
    fixture_close(f);
}

static void not_a_database(void **state)
{
    struct fixture *f = *state;
    char bytes[5000], lock[320];
    struct stat status;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31 + 7);
    fixture_write(f->database, bytes, sizeof(bytes));
    refused(f, STORE_TROUBLE_CORRUPT, "not a SQLite database");
    snprintf(lock, sizeof(lock), "%s.lock", f->database);
    assert_int_equal(stat(lock, &status), -1); /* nothing is left beside a stranger's file */
    fixture_write(f->database, "short", 5);
    refused(f, STORE_TROUBLE_CORRUPT, "not a SQLite database");
    /* the magic and nonsense */
    memcpy(bytes, "SQLite format 3", 16);
    fixture_write(f->database, bytes, sizeof(bytes));
    refused(f, STORE_TROUBLE_CORRUPT, "restore");
}

static void fill(struct fixture *f)
{
    fixture_open(f);
    fixture_close(f);
    fixture_sql(f, "CREATE TABLE x (y TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
                   "i + 1 FROM n LIMIT 500) INSERT INTO x SELECT printf('%0200d', i) FROM n");
}

static void truncated(void **state)
{
    struct fixture *f = *state;
    fill(f);
    assert_int_equal(truncate(f->database, 40000), 0);
    refused(f, STORE_TROUBLE_CORRUPT, "restore");
}

static void damaged(void **state)
{
    struct fixture *f = *state;
    char noise[4096];
    memset(noise, 0xa5, sizeof(noise));
    fill(f);
    int fd = open(f->database, O_RDWR | O_CLOEXEC);
    /* a leaf of x: only reading it all finds it */
    assert_int_equal(pwrite(fd, noise, sizeof(noise), 20 * 4096), sizeof(noise));
    close(fd);
    refused(f, STORE_TROUBLE_CORRUPT, "damaged");
}

/* What quick_check says of rows is no damage; what SQLite 3.40 says of keys in
 * another order isn't even so. */
static void rows_that_break_rules(void **state)
{
    struct fixture *f = *state;
    fixture_sql(f, "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (b, a)) "
                   "WITHOUT ROWID; INSERT INTO t VALUES (1, 2), (3, 4);"
                   "CREATE TABLE c (a INTEGER CHECK (a > 0));"
                   "PRAGMA ignore_check_constraints=1; INSERT INTO c VALUES (-1);");
    fixture_open(f);
    fixture_close(f);
}

static void newer(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    fixture_sql(f, "UPDATE _hero_meta SET value = 999 WHERE key = 'format'");
    refused(f, STORE_TROUBLE_NEWER, "update herod");
    fixture_sql(f, "UPDATE _hero_meta SET value = 'x' WHERE key = 'format'");
    refused(f, STORE_TROUBLE_CORRUPT, "_hero_meta");
    fixture_sql(f, "DELETE FROM _hero_meta");
    refused(f, STORE_TROUBLE_CORRUPT, "_hero_meta");
}

/* The write-ahead log of a killed process must not be worked into a file that is refused. */
static void newer_with_a_log(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db = NULL;
        sqlite3_open(f->database, &db);
        sqlite3_exec(db, "UPDATE _hero_meta SET value = 999 WHERE key = 'format'", NULL, NULL,
                     NULL);
        _exit(0); /* as if killed: nothing is closed */
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    char wal[320];
    snprintf(wal, sizeof(wal), "%s-wal", f->database);
    assert_true(slurp(f, wal).len > 0);
    refused(f, STORE_TROUBLE_NEWER, "newer Hero");
    refused(f, STORE_TROUBLE_NEWER, "newer Hero");
}

static void second_daemon(void **state)
{
    struct fixture *f = *state;
    struct store *first;
    char words[64];
    fixture_open(f);
    first = f->store;
    f->store = NULL;
    snprintf(words, sizeof(words), "already running, pid %ld", (long)getpid());
    refused(f, STORE_TROUBLE_LOCKED, words);
    /* the first one is unharmed */
    f->store = first;
    assert_int_equal(fixture_apply(f, fixture_heroes, NULL), HERO__V1__CODE__OK);
    fixture_close(f);
    fixture_open(f);
}

/* One file under two names, or without its lock file, is one database. */
static void second_name(void **state)
{
    struct fixture *f = *state;
    struct store *first;
    char link_path[sizeof(f->database)], lock_path[320];
    fixture_open(f);
    first = f->store;
    f->store = NULL;
    snprintf(lock_path, sizeof(lock_path), "%s.lock", f->database);
    assert_int_equal(unlink(lock_path), 0);
    refused(f, STORE_TROUBLE_LOCKED, "already running");
    snprintf(link_path, sizeof(link_path), "%s", f->database);
    snprintf(f->database, sizeof(f->database), "%s/other.db", f->directory);
    assert_int_equal(link(link_path, f->database), 0);
    refused(f, STORE_TROUBLE_LOCKED, "already running");
    assert_int_equal(unlink(f->database), 0);
    snprintf(lock_path, sizeof(lock_path), "%s.lock", f->database);
    unlink(lock_path);
    snprintf(f->database, sizeof(f->database), "%s", link_path);
    f->store = first;
    assert_int_equal(fixture_apply(f, fixture_heroes, NULL), HERO__V1__CODE__OK);
}

static void dies_and_is_followed(void **state)
{
    struct fixture *f = *state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (fixture_try_open(f) == HERO__V1__CODE__OK)
            (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    char words[64];
    snprintf(words, sizeof(words), "already running, pid %ld", (long)child);
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_non_null(strstr(f->fault.message, words));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture_open(f);
}

static void locked_by_another_program(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE x (y); BEGIN EXCLUSIVE", NULL, NULL, NULL),
                     SQLITE_OK);
    /* slurp would drop the locks of this process: closing is what POSIX minds */
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_int_equal(f->trouble, STORE_TROUBLE_LOCKED);
    assert_non_null(strstr(f->fault.message, "another process has locked it"));
    sqlite3_close(db);
    fixture_open(f);
}

/* In a child of another user: root may do anything. */
static void as_nobody(struct fixture *f, const char *words)
{
    if (geteuid() == 0)
        assert_int_equal(chmod(f->directory, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        Code code = fixture_try_open(f);
        bool right = code != HERO__V1__CODE__OK && f->trouble == STORE_TROUBLE_OPEN &&
                     strstr(f->fault.message, words) && strstr(f->fault.message, f->database);
        if (!right)
            fixture_print_fault(f);
        _exit(right ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void no_permission(void **state)
{
    struct fixture *f = *state;
    if (geteuid() != 0)
        assert_int_equal(chmod(f->directory, 0500), 0);
    as_nobody(f, "Permission denied");
    assert_int_equal(chmod(f->directory, 0700), 0);
    fixture_open(f);
    fixture_close(f);
    assert_int_equal(chmod(f->database, 0400), 0);
    as_nobody(f, "Permission denied");
    assert_int_equal(chmod(f->directory, 0700), 0);
}

/* What needs a file system of its own runs where root may mount one. */
static bool own_mounts(void)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void read_only_file_system(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fixture_close(f);
    pid_t child = fork();
    if (child == 0) {
        if (!own_mounts() || mount(f->directory, f->directory, NULL, MS_BIND, NULL) != 0 ||
            mount(NULL, f->directory, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0)
            _exit(77);
        Code code = fixture_try_open(f);
        fixture_print_fault(f);
        _exit(code != HERO__V1__CODE__OK && f->trouble == STORE_TROUBLE_OPEN &&
                      strstr(f->fault.message, "Read-only file system")
                  ? 0
                  : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

struct full_disk {
    struct fixture *f;
    char filler[320];
    int asked;
};

static bool make_room(void *arg, const char *text)
{
    struct full_disk *disk = arg;
    disk->asked++;
    if (!strstr(text, "the disk is full") || !strstr(text, "make room"))
        return false;
    if (disk->asked == 2)
        remove(disk->filler);
    return disk->asked < 5;
}

/* Killed with a log; no room for the shared memory: the store waits for room. */
static int on_a_full_disk(struct fixture *f)
{
    struct full_disk disk = {.f = f};
    if (!own_mounts() || mount("none", f->directory, "tmpfs", 0, "size=1m") != 0)
        return 77;
    fixture_open(f);
    fixture_close(f);
    pid_t killed = fork();
    if (killed == 0) {
        sqlite3 *db = NULL;
        sqlite3_open(f->database, &db);
        sqlite3_exec(db, "CREATE TABLE x (y)", NULL, NULL, NULL);
        _exit(0);
    }
    waitpid(killed, NULL, 0);
    char shm[320], block[4096] = "";
    snprintf(shm, sizeof(shm), "%s-shm", f->database);
    remove(shm);
    snprintf(disk.filler, sizeof(disk.filler), "%s/filler", f->directory);
    int fd = open(disk.filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof(block)) > 0) {
    }
    close(fd);
    if (fixture_try_open(f) == HERO__V1__CODE__OK || !strstr(f->fault.message, "full"))
        return 2;
    struct store_options options = {
        .path = f->database, .n_readers = 1, .on_disk_full = make_room, .fatal_arg = &disk};
    fault_done(&f->fault);
    if (store_open(&options, &f->store, &f->trouble, &f->fault) != HERO__V1__CODE__OK)
        return 3;
    fixture_close(f);
    return disk.asked == 2 ? 0 : 4;
}

static void full_disk_is_waited_out(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        int result = on_a_full_disk(f);
        if (result != 0 && result != 77)
            fixture_print_fault(f);
        _exit(result);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void opens_in_time(void **state)
{
    struct fixture *f = *state;
    struct timespec from, to;
    fixture_open(f);
    assert_int_equal(fixture_apply(f, fixture_heroes, NULL), HERO__V1__CODE__OK);
    fixture_close(f);
    fixture_sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
                   "INSERT INTO hero (name, secret_name) SELECT printf('hero %d', i), "
                   "printf('%0200d', i) FROM n");
    clock_gettime(CLOCK_MONOTONIC, &from);
    fixture_open(f);
    clock_gettime(CLOCK_MONOTONIC, &to);
    long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
    print_message("opened a file of 20,000 heroes in %ld ms\n", ms);
    assert_true(ms < 1000); /* generous: sanitizers, a busy machine */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(fresh),
        TEST(restrictive_umask),
        TEST(strangers_file),
        TEST(paths),
        TEST(not_a_database),
        TEST(truncated),
        TEST(damaged),
        TEST(rows_that_break_rules),
        TEST(newer),
        TEST(newer_with_a_log),
        TEST(second_daemon),
        TEST(second_name),
        TEST(dies_and_is_followed),
        TEST(locked_by_another_program),
        TEST(no_permission),
        TEST(read_only_file_system),
        TEST(full_disk_is_waited_out),
        TEST(opens_in_time),
    };
    return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
