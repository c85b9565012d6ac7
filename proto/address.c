/*
 * Owns nothing: derives paths from the environment and the password database.
 */
#include "address.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 3, 4))) static int print(char *buffer, size_t size,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(buffer, size, format, args);
    va_end(args);
    return len >= 0 && (size_t)len < size ? 0 : -1;
}

/* The XDG specification: a path that is not absolute is to be ignored. */
static const char *absolute(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

static int print_home(char *buffer, size_t size)
{
    char scratch[4096];
    struct passwd entry, *found = NULL;
    const char *home = absolute("HOME");
    if (!home && getpwuid_r(getuid(), &entry, scratch, sizeof scratch, &found) == 0 && found)
        home = found->pw_dir;
    return home && home[0] == '/' ? print(buffer, size, "%s", home) : -1;
}

int address_data_directory(char *buffer, size_t size)
{
    char home[1024];
    const char *data = absolute("XDG_DATA_HOME");
    if (data)
        return print(buffer, size, "%s/hero", data);
    if (print_home(home, sizeof home) != 0)
        return -1;
    return print(buffer, size, "%s/.local/share/hero", home);
}

int address_runtime_directory(char *buffer, size_t size)
{
    const char *runtime = absolute("XDG_RUNTIME_DIR");
    return runtime ? print(buffer, size, "%s/hero", runtime) : address_data_directory(buffer, size);
}

int address_user_url(char *buffer, size_t size)
{
    char directory[1024];
    if (address_runtime_directory(directory, sizeof directory) != 0)
        return -1;
    return print(buffer, size, "ipc://%s/herod.sock", directory);
}

static int is_socket(const char *url)
{
    struct stat status;
    return lstat(url + strlen("ipc://"), &status) == 0 && S_ISSOCK(status.st_mode);
}

int address_client_url(char *buffer, size_t size)
{
    const char *given = getenv("HERO_URL");
    if (given && *given)
        return print(buffer, size, "%s", given);
    char user[1100];
    int known = address_user_url(user, sizeof user) == 0;
    if ((!known || !is_socket(user)) && is_socket(ADDRESS_SYSTEM_URL))
        return print(buffer, size, "%s", ADDRESS_SYSTEM_URL);
    return known ? print(buffer, size, "%s", user) : -1;
}
