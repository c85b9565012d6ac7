/*
 * Owns the running of protoc and the directories it works in.
 */
#include "protoc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static char *printed(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&text, format, args) >= 0);
    va_end(args);
    return text;
}

static const char *source(void)
{
    const char *directory = getenv("HERO_SOURCE");
    if (!directory)
        fail_msg("HERO_SOURCE is not set: run this through meson test");
    return directory;
}

static struct bytes output_of(const char *command)
{
    struct bytes bytes = {malloc(1 << 20), 0};
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(bytes.data);
    bytes.len = fread(bytes.data, 1, 1 << 20, pipe);
    if (pclose(pipe) != 0)
        fail_msg("failed: %s", command);
    return bytes;
}

static struct bytes compile(const char *directory, const char *names)
{
    char *command = printed("cd '%s' && '%s' -I. -I'%s/proto' -I'%s' --include_imports "
                            "--descriptor_set_out=/dev/stdout %s",
                            directory, TEST_PROTOC, source(), TEST_DESCRIPTOR_INCLUDE, names);
    struct bytes bytes = output_of(command);
    free(command);
    return bytes;
}

struct bytes protoc_file(const char *directory, const char *name)
{
    char *path = printed("%s/%s", source(), directory);
    struct bytes bytes = compile(path, name);
    free(path);
    return bytes;
}

static char *new_directory(void)
{
    const char *parent = getenv("TMPDIR");
    char *directory = printed("%s/hero-unit-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(directory));
    return directory;
}

static void remove_directory(char *directory)
{
    char *command = printed("rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
    free(command);
    free(directory);
}

static void write_text(const char *directory, const char *name, const char *text)
{
    char *path = printed("%s/%s", directory, name);
    char *slash = strrchr(name, '/') ? strrchr(path, '/') : NULL;
    if (slash) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (strncmp(text, "syntax", 6) != 0)
        fputs("syntax = \"proto2\";\nimport \"hero/options.proto\";\n", file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    free(path);
}

struct bytes protoc_texts(const char *const *names_and_texts)
{
    char *directory = new_directory(), *names = strdup("");
    for (const char *const *at = names_and_texts; *at; at += 2) {
        write_text(directory, at[0], at[1]);
        char *more = printed("%s %s", names, at[0]);
        free(names);
        names = more;
    }
    struct bytes bytes = compile(directory, names);
    free(names);
    remove_directory(directory);
    return bytes;
}

int protoc_accepts(const uint8_t *set, size_t len)
{
    char *directory = new_directory();
    char *path = printed("%s/set", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(set, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    /* One file after the other is looked up by name, as protoc demands. */
    char *command = printed(
        "/usr/bin/env sh -c \"'%s' --descriptor_set_in='%s' --descriptor_set_out=/dev/null "
        "\\$('%s' --decode=google.protobuf.FileDescriptorSet -I'%s' "
        "google/protobuf/descriptor.proto < '%s' | sed -n 's/^  name: \\\"\\(.*\\)\\\"/\\1/p')\"",
        TEST_PROTOC, path, TEST_PROTOC, TEST_DESCRIPTOR_INCLUDE, path);
    int status = system(command);
    free(command);
    free(path);
    remove_directory(directory);
    return status;
}
