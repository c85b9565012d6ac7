/*
 * herod's options. Owns the table of them and the reading of values; see
 * config.h.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "address.h"
#include "frame.h"
#include "server.h"

#define INVALID HERO__V1__CODE__INVALID_ARGUMENT
#define OK HERO__V1__CODE__OK

#define MAX_TIMEOUT_MS (10 * 60 * 1000)
#define MAX_EXPAND_DEPTH 8
#define INLINE_ROWS 200
#define DAY_MS (24ull * 3600 * 1000)

enum kind {
    KIND_TEXT,
    KIND_URLS,
    KIND_FLAG,
    KIND_NUMBER,
    KIND_SIZE,
    KIND_TIME,
    KIND_MODE,
    KIND_LEVEL,
    KIND_CPU,
    KIND_INFER,
    KIND_HELP,
    KIND_VERSION
};

struct option_row {
    const char *name;
    char letter; /* 0: none */
    enum kind kind;
    size_t offset, size; /* the field in struct config; size of a text */
    uint64_t least, most;
    const char *fallback; /* the default as one would write it; NULL: see help */
    const char *argument, *help;
};

#define TEXT(field) offsetof(struct config, field), sizeof(((struct config *)0)->field), 0, 0
#define NUMBER(field, least, most) offsetof(struct config, field), 0, least, most

/* The one table. */
static const struct option_row rows[] = {
    {"database", 'd', KIND_TEXT, TEXT(database), NULL, "FILE",
     "the SQLite database; made if it isn't there (hero.db in the user's data directory)"},
    {"listen", 'l', KIND_URLS, NUMBER(urls, 0, 0), NULL, "URL",
     "ipc:///PATH or tcp://127.0.0.1:PORT; may be given several times (the user's own socket)"},
    {"config", 'c', KIND_TEXT, TEXT(file), NULL, "FILE",
     "options as lines of name = value; lines that begin with # are comments"},
    {"without", 0, KIND_TEXT, TEXT(without), "", "MODELS",
     "stop serving these (a,b), whose tables other tools have changed; the tables stay"},
    {"echo", 0, KIND_FLAG, NUMBER(echo, 0, 1), "no", NULL,
     "log every SQL statement with its values and time"},
    {"log-level", 0, KIND_LEVEL, NUMBER(log_level, 0, 0), "info", "LEVEL",
     "error, warning, notice, info or debug (a line for each call)"},
    {"socket-mode", 0, KIND_MODE, NUMBER(socket_mode, 0, 0777), "0660", "MODE",
     "who may connect to ipc sockets, as chmod writes it"},
    {"socket-group", 0, KIND_TEXT, TEXT(socket_group), "", "GROUP", "the ipc sockets' group"},
    {"message-limit", 0, KIND_SIZE, NUMBER(message_bytes, 4096, FRAME_MAX_BYTES), "1M", "SIZE",
     "largest request and answer"},
    {"memory-limit", 0, KIND_SIZE, NUMBER(memory_bytes, 16 << 20, 1ull << 40), "256M", "SIZE",
     "memory of all requests together"},
    {"mutation-limit", 0, KIND_NUMBER, NUMBER(max_mutations, 1, 10000000), "100000", "N",
     "mutations of a commit; also records, links and targets of one, and keys of a read"},
    {"page-size", 0, KIND_NUMBER, NUMBER(page_size, 1, 100000), "100", "N",
     "records of a page when the request doesn't say"},
    {"max-page-size", 0, KIND_NUMBER, NUMBER(max_page_size, 1, 100000), "1000", "N",
     "most records of a page"},
    {"in-flight", 0, KIND_NUMBER, NUMBER(in_flight, 1, 4096), "192", "N",
     "requests at a time, of all clients"},
    {"in-flight-per-client", 0, KIND_NUMBER, NUMBER(in_flight_per_client, 1, 4096), "64", "N",
     "requests at a time, of one connection"},
    {"max-clients", 0, KIND_NUMBER, NUMBER(max_clients, 1, 60000), "1000", "N",
     "connections at a time"},
    {"timeout", 0, KIND_TIME, NUMBER(timeout_ms, 1, MAX_TIMEOUT_MS), "30s", "TIME",
     "deadline of a request that doesn't set one"},
    {"send-timeout", 0, KIND_TIME, NUMBER(send_timeout_ms, 10, 60000), "500ms", "TIME",
     "a client that takes longer to accept an answer is disconnected"},
    {"idle-timeout", 0, KIND_TIME, NUMBER(idle_timeout_ms, 0, 365 * DAY_MS), "0", "TIME",
     "a connection silent for longer is closed; 0: never"},
    {"retention", 0, KIND_TIME, NUMBER(retention_ms, 60000, 365 * DAY_MS), "7d", "TIME",
     "how long answers are kept for requests that are repeated"},
    {"readers", 0, KIND_NUMBER, NUMBER(readers, 1, 16), "2", "N",
     "threads for reads that take their time"},
    {"io-cpu", 0, KIND_CPU, NUMBER(io_cpu, 0, 1023), "auto", "CPU",
     "the CPU for the transport's threads; any: leave them; auto: one on machines of 2 to 8"},
    {"infer", 0, KIND_INFER, NUMBER(infer, 0, 0), NULL, "FILE",
     "print models of that SQLite database as .proto and exit; see heroctl infer"},
    {"help", 'h', KIND_HELP, NUMBER(echo, 0, 0), NULL, NULL, "print this and exit"},
    {"version", 'V', KIND_VERSION, NUMBER(echo, 0, 0), NULL, NULL, "print the version and exit"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
    const char *name;
    enum log_level level;
} levels[] = {{"error", LOG_LEVEL_ERROR},
              {"warning", LOG_LEVEL_WARNING},
              {"notice", LOG_LEVEL_NOTICE},
              {"info", LOG_LEVEL_INFO},
              {"debug", LOG_LEVEL_DEBUG}};

/* ---- values ---- */

struct unit {
    const char *name;
    uint64_t factor;
};
static const struct unit size_units[] = {{"", 1},        {"B", 1},           {"K", 1024},
                                         {"KiB", 1024},  {"M", 1024 * 1024}, {"MiB", 1024 * 1024},
                                         {"G", 1 << 30}, {"GiB", 1 << 30},   {NULL, 0}};
static const struct unit time_units[] = {{"", 1000},    {"ms", 1},      {"s", 1000},
                                         {"m", 60000},  {"min", 60000}, {"h", 3600000},
                                         {"d", DAY_MS}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static bool read_number(const char *text, const struct unit *units, uint64_t *ret)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    while (*end == ' ')
        end++;
    for (; errno == 0 && units->name; units++) {
        if (strcmp(end, units->name) != 0)
            continue;
        if (number > UINT64_MAX / units->factor)
            return false;
        *ret = number * units->factor;
        return true;
    }
    return false;
}

/* A number as one would write it. */
static const char *print_number(char *buffer, size_t size, const struct unit *units,
                                uint64_t number)
{
    const struct unit *best = &units[0];

    for (const struct unit *unit = units; unit->name; unit++) {
        bool better = unit->factor > best->factor || best->factor > number;
        if (number > 0 && number % unit->factor == 0 && better && unit->factor <= number)
            best = unit;
    }
    if (number % best->factor != 0) /* milliseconds have no fraction */
        best = &units[1];
    snprintf(buffer, size, "%llu%s", (unsigned long long)(number / best->factor), best->name);
    return buffer;
}

static Code set_number(const struct option_row *row, uint64_t *field, const char *value,
                       const char *where, struct fault *fault)
{
    const struct unit *units = row->kind == KIND_SIZE   ? size_units
                               : row->kind == KIND_TIME ? time_units
                                                        : no_units;
    const char *example = row->kind == KIND_SIZE   ? "a size, like 512K or 4M"
                          : row->kind == KIND_TIME ? "a time, like 500ms, 30s, 2h or 7d"
                                                   : "a number";
    char least[32], most[32];
    uint64_t number;

    if (!read_number(value, units, &number))
        return fault_set(fault, INVALID, "%s: %s: \"%.64s\" is not %s", where, row->name, value,
                         example);
    if (number < row->least || number > row->most)
        return fault_set(fault, INVALID, "%s: %s: %.64s is out of range, %s to %s", where,
                         row->name, value, print_number(least, sizeof(least), units, row->least),
                         print_number(most, sizeof(most), units, row->most));
    *field = number;
    return OK;
}

static Code set_mode(const struct option_row *row, uint64_t *field, const char *value,
                     const char *where, struct fault *fault)
{
    char *end;
    unsigned long mode = strtoul(value, &end, 8);

    if (value[0] < '0' || value[0] > '7' || *end || mode > row->most)
        return fault_set(fault, INVALID, "%s: %s: \"%.64s\" is not a mode, like 0660", where,
                         row->name, value);
    *field = mode;
    return OK;
}

static Code set_level(const struct option_row *row, uint64_t *field, const char *value,
                      const char *where, struct fault *fault)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(levels[i].name, value) == 0) {
            *field = levels[i].level;
            return OK;
        }
    }
    return fault_set(fault, INVALID,
                     "%s: %s: \"%.64s\" is not one of error, warning, notice, info, debug", where,
                     row->name, value);
}

static Code set_cpu(const struct option_row *row, int64_t *field, const char *value,
                    const char *where, struct fault *fault)
{
    uint64_t cpu;

    if (strcmp(value, "auto") == 0)
        *field = SERVER_IO_CPU_AUTO;
    else if (strcmp(value, "any") == 0 || strcmp(value, "-1") == 0)
        *field = SERVER_IO_CPU_ANY;
    else if (read_number(value, no_units, &cpu) && cpu <= row->most)
        *field = (int64_t)cpu;
    else
        return fault_set(fault, INVALID, "%s: %s: \"%.64s\" is not a CPU's number, any or auto",
                         where, row->name, value);
    return OK;
}

static Code set_flag(const struct option_row *row, bool *field, const char *value,
                     const char *where, struct fault *fault)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                                "off", "0"};

    for (size_t i = 0; i < 4; i++) {
        if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
            *field = strcmp(value, yes[i]) == 0;
            return OK;
        }
    }
    return fault_set(fault, INVALID, "%s: %s: \"%.64s\" is not yes or no", where, row->name, value);
}

static Code set_text(const struct option_row *row, char *field, size_t size, const char *value,
                     const char *where, struct fault *fault)
{
    if (strlen(value) >= size)
        return fault_set(fault, INVALID, "%s: %s: longer than %zu bytes", where, row->name,
                         size - 1);
    if (!*value && !row->fallback) /* as from a variable that is not set */
        return fault_set(fault, INVALID, "%s: %s: empty; give a file", where, row->name);
    strcpy(field, value);
    return OK;
}

/* Several urls in one value are separated by spaces or commas. */
static Code add_urls(struct config *config, const struct option_row *row, const char *value,
                     const char *where, struct fault *fault)
{
    while (*value) {
        size_t len = strcspn(value, " ,\t");
        char *url = config->urls[config->n_urls];
        if (len > 0) {
            if (config->n_urls == CONFIG_MAX_URLS)
                return fault_set(fault, INVALID, "%s: %s: more than %d urls", where, row->name,
                                 CONFIG_MAX_URLS);
            if (len >= sizeof(config->urls[0]))
                return fault_set(fault, INVALID, "%s: %s: longer than %zu bytes", where, row->name,
                                 sizeof(config->urls[0]) - 1);
            memcpy(url, value, len);
            url[len] = 0;
            config->n_urls++;
        }
        value += len + strspn(value + len, " ,\t");
    }
    return OK;
}

static Code set(struct config *config, const struct option_row *row, const char *value,
                const char *where, struct fault *fault)
{
    void *field = (char *)config + row->offset;

    switch (row->kind) {
    case KIND_TEXT:
        return set_text(row, field, row->size, value, where, fault);
    case KIND_URLS:
        return add_urls(config, row, value, where, fault);
    case KIND_FLAG:
        return set_flag(row, field, value, where, fault);
    case KIND_NUMBER:
    case KIND_SIZE:
    case KIND_TIME:
        return set_number(row, field, value, where, fault);
    case KIND_MODE:
        return set_mode(row, field, value, where, fault);
    case KIND_LEVEL:
        return set_level(row, field, value, where, fault);
    case KIND_CPU:
        return set_cpu(row, field, value, where, fault);
    case KIND_INFER:
    case KIND_HELP:
    case KIND_VERSION:
        break;
    }
    return fault_set(fault, INVALID, "%s: no such option: %.64s", where, row->name);
}

/* ---- sources ---- */

static const struct option_row *find(const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool settable(const struct option_row *row)
{
    return row && row->kind < KIND_INFER;
}

static Code read_defaults(struct config *config, struct fault *fault)
{
    Code code = OK;

    for (size_t i = 0; i < N_ROWS && code == OK; i++) {
        if (rows[i].fallback)
            code = set(config, &rows[i], rows[i].fallback, "default", fault);
    }
    return code;
}

static char *trim(char *text)
{
    char *end;

    while (*text == ' ' || *text == '\t')
        text++;
    end = text + strlen(text);
    while (end > text && strchr(" \t\r\n", end[-1]))
        *--end = 0;
    return text;
}

static Code read_line(struct config *config, char *line, const char *where, bool *urls_cleared,
                      struct fault *fault)
{
    char *name = trim(line), *equals = strchr(name, '=');

    if (!*name || *name == '#')
        return OK;
    if (!equals)
        return fault_set(fault, INVALID, "%s: \"%.64s\" is not name = value", where, name);
    *equals = 0;
    name = trim(name);
    const struct option_row *row = find(name);
    if (!settable(row) || strcmp(name, "config") == 0)
        return fault_set(fault, INVALID, "%s: no such option: \"%.64s\" (herod --help lists them)",
                         where, name);
    if (row->kind == KIND_URLS && !*urls_cleared) {
        config->n_urls = 0;
        *urls_cleared = true;
    }
    return set(config, row, trim(equals + 1), where, fault);
}

static Code read_file(struct config *config, struct fault *fault)
{
    char where[CONFIG_TEXT_BYTES + 32];
    char *line = NULL;
    size_t size = 0;
    unsigned number = 0;
    bool urls_cleared = false;
    Code code = OK;
    FILE *file = fopen(config->file, "re");

    if (!file)
        return fault_set(fault, INVALID, "cannot read the configuration %s: %s", config->file,
                         strerror(errno));
    while (code == OK && getline(&line, &size, file) >= 0) {
        snprintf(where, sizeof(where), "%s:%u", config->file, ++number);
        code = read_line(config, line, where, &urls_cleared, fault);
    }
    if (code == OK && ferror(file))
        code = fault_set(fault, INVALID, "cannot read the configuration %s: %s", config->file,
                         strerror(EIO));
    free(line);
    fclose(file);
    return code;
}

/* message-limit is HERO_MESSAGE_LIMIT. */
static const char *environment(const struct option_row *row, char *name, size_t size)
{
    snprintf(name, size, "HERO_%s", row->name);
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    return getenv(name);
}

static Code read_environment(struct config *config, struct fault *fault)
{
    char name[64];
    Code code = OK;

    for (size_t i = 0; i < N_ROWS && code == OK; i++) {
        const char *value = environment(&rows[i], name, sizeof(name));
        if (!value || !*value || !settable(&rows[i]))
            continue;
        if (rows[i].kind == KIND_URLS)
            config->n_urls = 0;
        code = set(config, &rows[i], value, name, fault);
    }
    return code;
}

static void print_help(void)
{
    printf("usage: herod [OPTION]...\n"
           "Serves a SQLite database as protobuf messages over nng; herod(8) says more.\n\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[64], letter[8] = "    ";
        if (rows[i].letter)
            snprintf(letter, sizeof(letter), "-%c, ", rows[i].letter);
        snprintf(left, sizeof(left), "  %s--%s%s%s", letter, rows[i].name,
                 rows[i].argument ? "=" : "", rows[i].argument ? rows[i].argument : "");
        printf("%-33s %s", left, rows[i].help);
        if (rows[i].fallback && rows[i].fallback[0] && rows[i].kind != KIND_FLAG)
            printf(" (%s)", rows[i].fallback);
        printf("\n");
    }
    printf(
        "\nEach is also an environment variable (--message-limit: HERO_MESSAGE_LIMIT) and a line\n"
        "of the configuration file (message-limit = 1M); the command line wins, then the\n"
        "environment.\n\nExample: herod --database heroes.db --listen ipc:///tmp/herod.sock "
        "--echo\n");
}

struct given { /* the command line, read but not yet set */
    const struct option_row *row;
    const char *value;
};

static Code read_arguments(int argc, char **argv, struct given *given, size_t *n,
                           struct fault *fault)
{
    struct option options[N_ROWS + 1] = {{0}};
    char letters[2 * N_ROWS + 2] = ":";
    int index;

    for (size_t i = 0; i < N_ROWS; i++) {
        int has = rows[i].argument            ? required_argument
                  : rows[i].kind == KIND_FLAG ? optional_argument
                                              : no_argument;
        options[i] = (struct option){rows[i].name, has, NULL, (int)(256 + i)};
        if (rows[i].letter)
            snprintf(letters + strlen(letters), 4, "%c%s", rows[i].letter,
                     rows[i].argument ? ":" : "");
    }
    opterr = 0;
    optind = 1;
    while ((index = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        const struct option_row *row = index >= 256 ? &rows[index - 256] : NULL;
        for (size_t i = 0; i < N_ROWS && !row; i++)
            row = index > 1 && rows[i].letter == index ? &rows[i] : NULL;
        if (index == ':')
            return fault_set(fault, INVALID, "%s needs a value (herod --help)", argv[optind - 1]);
        if (!row || index == '?')
            return fault_set(fault, INVALID, "no such option: %s (herod --help lists them)",
                             argv[optind - 1]);
        given[(*n)++] = (struct given){row, optarg ? optarg : "yes"};
    }
    if (optind < argc)
        return fault_set(fault, INVALID, "\"%s\" is no option (herod --help lists them)",
                         argv[optind]);
    return OK;
}

/* Where nobody said: the user's own places. */
static Code fill_in(struct config *config, struct fault *fault)
{
    char directory[CONFIG_TEXT_BYTES - 16];

    if (!config->database[0]) {
        if (address_data_directory(directory, sizeof(directory)) != 0)
            return fault_set(fault, INVALID, "no home directory is known: name the --database");
        snprintf(config->database, sizeof(config->database), "%s/hero.db", directory);
        config->database_is_default = true;
    }
    if (config->n_urls == 0) {
        if (address_user_url(config->urls[0], sizeof(config->urls[0])) != 0)
            return fault_set(fault, INVALID,
                             "no runtime directory is known: say where to --listen");
        config->n_urls = 1;
        config->listen_is_default = true;
    }
    if (config->page_size > config->max_page_size)
        return fault_set(fault, INVALID, "page-size %llu is more than max-page-size %llu",
                         (unsigned long long)config->page_size,
                         (unsigned long long)config->max_page_size);
    if (config->in_flight_per_client > config->in_flight)
        config->in_flight_per_client = config->in_flight;
    return OK;
}

static Code set_given(struct config *config, const struct given *given, size_t n,
                      struct fault *fault)
{
    bool urls_cleared = false;
    Code code = OK;

    for (size_t i = 0; i < n && code == OK; i++) {
        if (given[i].row->kind == KIND_URLS && !urls_cleared) {
            config->n_urls = 0;
            urls_cleared = true;
        }
        code = set(config, given[i].row, given[i].value, "command line", fault);
    }
    return code;
}

Code config_read(struct config *config, int argc, char **argv, enum config_result *ret_result,
                 struct fault *fault)
{
    const struct option_row *file = find("config");
    struct given *given = calloc((size_t)argc + 1, sizeof(*given));
    char name[64];
    size_t n = 0;
    Code code;

    memset(config, 0, sizeof(*config));
    *ret_result = CONFIG_RUN;
    if (!given)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
    code = read_arguments(argc, argv, given, &n, fault);
    const char *path = environment(file, name, sizeof(name));
    for (size_t i = 0; i < n && code == OK; i++) {
        if (given[i].row->kind >= KIND_INFER) {
            if (given[i].row->kind == KIND_HELP)
                print_help();
            else if (given[i].row->kind == KIND_VERSION)
                printf("herod %s\n", HERO_VERSION);
            else
                config->infer = given[i].value;
            *ret_result = config->infer ? CONFIG_INFER : CONFIG_DONE;
            free(given);
            return OK;
        }
        if (given[i].row == file)
            path = given[i].value;
    }
    if (code == OK)
        code = read_defaults(config, fault);
    if (code == OK && path && *path)
        code = set(config, file, path, "command line", fault);
    if (code == OK && config->file[0])
        code = read_file(config, fault);
    if (code == OK)
        code = read_environment(config, fault);
    if (code == OK)
        code = set_given(config, given, n, fault);
    free(given);
    return code == OK ? fill_in(config, fault) : code;
}

void config_limits(const struct config *config, struct limits *ret_limits)
{
    *ret_limits = (struct limits){
        .message_bytes = config->message_bytes,
        .memory_bytes = config->memory_bytes,
        .in_flight = (unsigned)config->in_flight,
        .in_flight_per_pipe = (unsigned)config->in_flight_per_client,
        .max_clients = (unsigned)config->max_clients,
        .page_size = (uint32_t)config->page_size,
        .max_page_size = (uint32_t)config->max_page_size,
        .max_mutations = (unsigned)config->max_mutations,
        .max_expand_depth = MAX_EXPAND_DEPTH,
        .timeout_ms = (uint32_t)config->timeout_ms,
        .max_timeout_ms = MAX_TIMEOUT_MS,
        .send_timeout_ms = (uint32_t)config->send_timeout_ms,
        .retention_s = config->retention_ms / 1000,
        .inline_rows = INLINE_ROWS,
        .idle_timeout_s = (uint32_t)((config->idle_timeout_ms + 999) / 1000),
    };
}
