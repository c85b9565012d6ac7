/*
 * Where a daemon is when nobody says, by environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "address.h"

static char buffer[512];

static int clear(void **state)
{
    (void)state;
    unsetenv("HERO_URL");
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", "/users/ada", 1);
    return 0;
}

static void test_directories(void **state)
{
    (void)state;
    assert_int_equal(address_data_directory(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "/users/ada/.local/share/hero");
    assert_int_equal(address_runtime_directory(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "/users/ada/.local/share/hero");
    setenv("XDG_DATA_HOME", "/data", 1);
    assert_int_equal(address_runtime_directory(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "/data/hero");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    assert_int_equal(address_user_url(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "ipc:///run/user/7/hero/herod.sock");
    assert_int_equal(address_data_directory(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "/data/hero");
}

static void test_relative_paths_are_ignored(void **state)
{
    (void)state;
    setenv("XDG_DATA_HOME", "data", 1);
    setenv("XDG_RUNTIME_DIR", "", 1);
    assert_int_equal(address_runtime_directory(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "/users/ada/.local/share/hero");
    unsetenv("HOME"); /* then the password database says */
    assert_int_equal(address_data_directory(buffer, sizeof buffer), 0);
    assert_int_equal(buffer[0], '/');
}

static void test_too_long(void **state)
{
    (void)state;
    assert_int_equal(address_data_directory(buffer, 10), -1);
    assert_int_equal(address_user_url(buffer, 20), -1);
    assert_int_equal(address_client_url(buffer, 20), -1);
    setenv("HERO_URL", "tcp://127.0.0.1:7777", 1);
    assert_int_equal(address_client_url(buffer, 20), -1);
    assert_int_equal(address_client_url(buffer, 21), 0);
    assert_string_equal(buffer, "tcp://127.0.0.1:7777");
}

/* The user's own socket is preferred when there is one, and named when there
 * is none at all. */
static void test_client(void **state)
{
    char directory[64], path[96], expected[128];
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/hero-unit-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(directory));
    setenv("XDG_RUNTIME_DIR", directory, 1);
    setenv("HERO_URL", "", 1); /* empty is unset */
    snprintf(expected, sizeof expected, "ipc://%s/hero/herod.sock", directory);
    if (access(&ADDRESS_SYSTEM_URL[strlen("ipc://")], F_OK) != 0) {
        assert_int_equal(address_client_url(buffer, sizeof buffer), 0);
        assert_string_equal(buffer, expected);
    }
    snprintf(path, sizeof path, "%s/hero", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/hero/herod.sock", directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(address_client_url(buffer, sizeof buffer), 0);
    assert_string_equal(buffer, expected);
    close(fd);
    unlink(address.sun_path);
    rmdir(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_directories, clear),
        cmocka_unit_test_setup(test_relative_paths_are_ignored, clear),
        cmocka_unit_test_setup(test_too_long, clear),
        cmocka_unit_test_setup(test_client, clear),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
