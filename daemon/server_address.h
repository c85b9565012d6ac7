/*
 * Where the server listens: which urls it may, and what may lie at a socket's
 * path. Knows paths and addresses; knows no nng.
 */
#ifndef HERO_SERVER_ADDRESS_H
#define HERO_SERVER_ADDRESS_H

#include <sys/socket.h>
#include <sys/types.h>
#include "fault.h"

struct server_address {
    const char *url; /* as given */
    bool is_ipc;
    const char *path; /* ipc: into url */
    int lock_fd;      /* ipc: held for life; -1: none */
    bool bound;       /* ipc: the socket at path is ours, this one: */
    dev_t device;
    ino_t inode;
    struct sockaddr_storage connect_to; /* for the probe */
    socklen_t connect_len;
};

/* UNIMPLEMENTED/INVALID_ARGUMENT for a url that herod doesn't listen on:
 * ipc:// with a path that fits, tcp:// on a loopback address. */
MUST_CHECK Code server_address_parse(struct server_address *address, const char *url,
                                     struct fault *fault);
/* Takes the path's lock and removes a stale socket of ours. Whatever else is
 * there stays and refuses the start. nng would delete any file it finds. */
MUST_CHECK Code server_address_guard(struct server_address *address, struct fault *fault);
/* After listening: remembers the socket (and hands it to the group). */
MUST_CHECK Code server_address_bound(struct server_address *address, const char *group,
                                     struct fault *fault);
/* The port (network byte order) that a wish for port 0 got; writes the url. */
void server_address_set_port(struct server_address *address, uint16_t port, char *ret_url,
                             size_t size);
/* Removes the socket if it is still the one that was bound. */
void server_address_remove(struct server_address *address);

#endif
