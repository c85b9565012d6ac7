/*
 * herod's options: one table drives the command line, the environment
 * (HERO_*), the configuration file and --help. The command line wins over the
 * environment, that over the file, that over the defaults. Opens nothing but
 * the file.
 */
#ifndef HERO_CONFIG_H
#define HERO_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon.h"
#include "log.h"

#define CONFIG_MAX_URLS 16
#define CONFIG_TEXT_BYTES 4096

struct config {
    char database[CONFIG_TEXT_BYTES];
    char file[CONFIG_TEXT_BYTES];
    char without[CONFIG_TEXT_BYTES];
    char urls[CONFIG_MAX_URLS][CONFIG_TEXT_BYTES / 16];
    unsigned n_urls;
    char socket_group[64];
    uint64_t socket_mode;
    int64_t io_cpu;
    uint64_t log_level;
    uint64_t readers;
    bool echo;
    uint64_t message_bytes, memory_bytes, page_size, max_page_size, max_mutations, in_flight,
        in_flight_per_client, max_clients;
    uint64_t timeout_ms, send_timeout_ms, retention_ms, idle_timeout_ms;
    /* Nobody named them: their directories may be created. */
    bool database_is_default, listen_is_default;
    const char *infer; /* of argv: the database that --infer names */
};

enum config_result {
    CONFIG_RUN,
    CONFIG_DONE, /* --help, --version: exit 0 */
    CONFIG_INFER,
};

/* INVALID_ARGUMENT: one line that names the option, where it stands and what
 * it may be. */
MUST_CHECK Code config_read(struct config *config, int argc, char **argv,
                            enum config_result *ret_result, struct fault *fault);
void config_limits(const struct config *config, struct limits *ret_limits);

#endif
