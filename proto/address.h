/*
 * Where a daemon listens and keeps its data when nobody says: one rule for
 * herod, heroctl and the library. Reads the environment; opens nothing.
 */
#ifndef HERO_PROTO_ADDRESS_H
#define HERO_PROTO_ADDRESS_H

#include <stddef.h>

#define ADDRESS_SYSTEM_URL "ipc:///run/herod/herod.sock"
#define ADDRESS_SYSTEM_DATABASE "/var/lib/herod/hero.db"
/* A socket's path must fit sockaddr_un.sun_path with its terminator. */
#define ADDRESS_SOCKET_MAX 107

/* $XDG_RUNTIME_DIR/hero, else address_data_directory's. */
int address_runtime_directory(char *buffer, size_t size);
/* $XDG_DATA_HOME/hero, else ~/.local/share/hero (HOME, else the password
 * database). All return 0, or -1 when it doesn't fit or nothing is known. */
int address_data_directory(char *buffer, size_t size);
/* "ipc://<runtime directory>/herod.sock": what herod listens on by default. */
int address_user_url(char *buffer, size_t size);
/* What a client without a url talks to: HERO_URL; the user's own socket if it
 * is there; the system's if it is there; the user's own. */
int address_client_url(char *buffer, size_t size);

#endif
