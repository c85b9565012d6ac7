/* The connections of a server: a hash table by nng's id, and counters. See server_connections.h. */
#include "server_connections.h"

#include <stdlib.h>
#include <string.h>

void connections_init(struct connections *connections)
{
    pthread_condattr_t attr;

    memset(connections, 0, sizeof(*connections));
    pthread_mutex_init(&connections->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->quiet, &attr);
    pthread_condattr_destroy(&attr);
}

static struct connection **find(struct connections *connections, uint32_t pipe)
{
    struct connection **at = &connections->buckets[pipe % CONNECTION_BUCKETS];

    while (*at && (*at)->peer.pipe != pipe)
        at = &(*at)->next;
    return at;
}

bool connections_add(struct connections *connections, const struct peer *peer, bool always)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    bool room;

    if (!connection)
        return false;
    connection->peer = *peer;
    pthread_mutex_lock(&connections->lock);
    room = always || connections->n < connections->max;
    if (room) {
        struct connection **at = &connections->buckets[peer->pipe % CONNECTION_BUCKETS];
        connection->next = *at;
        *at = connection;
        connections->n++;
    }
    pthread_mutex_unlock(&connections->lock);
    if (!room)
        free(connection);
    return room;
}

/* Under the lock: frees what is gone and has nothing under way. */
static void settle(struct connections *connections, struct connection *connection)
{
    if (connections->n_running == 0 && connections->n_sending == 0)
        pthread_cond_broadcast(&connections->quiet);
    if (connection->gone && connection->n_running == 0 && connection->n_sending == 0)
        free(connection);
}

void connections_remove(struct connections *connections, uint32_t pipe)
{
    pthread_mutex_lock(&connections->lock);
    struct connection **at = find(connections, pipe), *connection = *at;
    if (connection) {
        *at = connection->next;
        connections->n--;
        connection->gone = true;
        settle(connections, connection);
    }
    pthread_mutex_unlock(&connections->lock);
}

enum admission connections_admit(struct connections *connections, uint32_t pipe, int64_t now_ns,
                                 struct connection **ret_connection)
{
    enum admission admission = ADMIT;

    pthread_mutex_lock(&connections->lock);
    struct connection *connection = *find(connections, pipe);
    if (!connection) {
        admission = ADMIT_NOBODY;
    } else if (connection->kicked) {
        admission = ADMIT_NOBODY;
    } else if (connection->n_sending >= connections->max_sending_each) {
        connection->kicked = true;
        admission = ADMIT_KICK;
    } else {
        if (connection->n_running >= connections->max_running_each ||
            connections->n_running >= connections->max_running)
            admission = ADMIT_OVERLOADED;
        connection->n_running++;
        connections->n_running++;
        connection->last_ns = now_ns;
        *ret_connection = connection;
    }
    pthread_mutex_unlock(&connections->lock);
    return admission;
}

void connections_answered(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    connection->n_running--;
    connections->n_running--;
    connection->n_sending++;
    connections->n_sending++;
    pthread_mutex_unlock(&connections->lock);
}

bool connections_sent(struct connections *connections, struct connection *connection,
                      bool timed_out, int64_t now_ns)
{
    bool kick;

    pthread_mutex_lock(&connections->lock);
    kick = timed_out && !connection->kicked && !connection->gone;
    if (kick)
        connection->kicked = true;
    if (!timed_out)
        connection->n_sent++;
    connection->last_ns = now_ns;
    connection->n_sending--;
    connections->n_sending--;
    settle(connections, connection);
    pthread_mutex_unlock(&connections->lock);
    return kick;
}

bool connections_wait_quiet(struct connections *connections, int64_t deadline_ns)
{
    struct timespec until = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    bool quiet;
    int error = 0;

    pthread_mutex_lock(&connections->lock);
    while ((connections->n_running > 0 || connections->n_sending > 0) && !error)
        error = pthread_cond_timedwait(&connections->quiet, &connections->lock, &until);
    quiet = connections->n_running == 0 && connections->n_sending == 0;
    pthread_mutex_unlock(&connections->lock);
    return quiet;
}

void connections_each(struct connections *connections,
                      void (*visit)(const struct connection *connection, void *arg), void *arg)
{
    pthread_mutex_lock(&connections->lock);
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        for (struct connection *at = connections->buckets[i]; at; at = at->next)
            visit(at, arg);
    }
    pthread_mutex_unlock(&connections->lock);
}
