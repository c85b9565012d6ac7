/*
 * Where the server listens. Owns the rules on urls and the guard of socket
 * paths; see server_address.h.
 */
#include "server_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "address.h"

#define UNAVAILABLE HERO__V1__CODE__UNAVAILABLE

static Code parse_ipc(struct server_address *address, struct fault *fault)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&address->connect_to;

    address->is_ipc = true;
    address->path = address->url + strlen("ipc://");
    if (address->path[0] != '/')
        return fault_set(fault, UNAVAILABLE,
                         "cannot listen on %s: give the socket's absolute path, ipc:///run/...",
                         address->url);
    if (strlen(address->path) > ADDRESS_SOCKET_MAX)
        return fault_set(fault, UNAVAILABLE,
                         "cannot listen on %s: the path has %zu bytes, a socket's holds %d",
                         address->url, strlen(address->path), ADDRESS_SOCKET_MAX);
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, address->path);
    address->connect_len = sizeof(*un);
    return HERO__V1__CODE__OK;
}

static bool read_loopback(const char *host, uint16_t port, struct server_address *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&address->connect_to;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->connect_to;

    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        address->connect_len = sizeof(*in);
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        address->connect_len = sizeof(*in6);
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    return false;
}

/* 127.0.0.0/8 and ::1 by number: a name may mean anything tomorrow. */
static Code parse_tcp(struct server_address *address, struct fault *fault)
{
    const char *rest = address->url + strlen("tcp://"), *colon = strrchr(rest, ':');
    char host[64], *end;
    size_t len = colon ? (size_t)(colon - rest) : 0;

    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || end == colon + 1 || *end || port > 65535)
        return fault_set(fault, UNAVAILABLE, "cannot listen on %s: write tcp://127.0.0.1:PORT",
                         address->url);
    if (len >= 2 && rest[0] == '[' && rest[len - 1] == ']') {
        rest++;
        len -= 2;
    }
    snprintf(host, sizeof(host), "%.*s", len < sizeof(host) ? (int)len : 0, rest);
    if (!read_loopback(host, (uint16_t)port, address))
        return fault_set(
            fault, UNAVAILABLE,
            "cannot listen on %s: plain tcp is for loopback addresses only, 127.0.0.1 or [::1]",
            address->url);
    return HERO__V1__CODE__OK;
}

Code server_address_parse(struct server_address *address, const char *url, struct fault *fault)
{
    memset(address, 0, sizeof(*address));
    address->url = url;
    address->lock_fd = -1;
    if (strncmp(url, "ipc://", 6) == 0)
        return parse_ipc(address, fault);
    if (strncmp(url, "tcp://", 6) == 0)
        return parse_tcp(address, fault);
    return fault_set(fault, UNAVAILABLE,
                     "cannot listen on %s: herod listens on ipc:///PATH and tcp://127.0.0.1:PORT",
                     url);
}

/* Two daemons of different databases at one path would steal it from each
 * other between bind() and listen(); the lock file stays, empty. */
static Code take_lock(struct server_address *address, struct fault *fault)
{
    char path[ADDRESS_SOCKET_MAX + sizeof(".lock")];

    snprintf(path, sizeof(path), "%s.lock", address->path);
    address->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (address->lock_fd < 0 && errno == ENOENT)
        return fault_set(fault, UNAVAILABLE,
                         "cannot listen on %s: its directory does not exist; create it",
                         address->url);
    if (address->lock_fd < 0)
        return fault_set(fault, UNAVAILABLE, "cannot listen on %s: %s: %s", address->url, path,
                         strerror(errno));
    if (flock(address->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(fault, UNAVAILABLE, "cannot listen on %s: another herod listens there",
                         address->url);
    return HERO__V1__CODE__OK;
}

/* Does somebody answer at the path? */
static bool alive(const struct server_address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* a full backlog (EAGAIN) is a listener too */
    bool is = fd >= 0 && (connect(fd, (const struct sockaddr *)&address->connect_to,
                                  address->connect_len) == 0 ||
                          errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return is;
}

Code server_address_guard(struct server_address *address, struct fault *fault)
{
    struct stat st;

    if (!address->is_ipc)
        return HERO__V1__CODE__OK;
    Code code = take_lock(address, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (lstat(address->path, &st) != 0)
        return errno == ENOENT ? HERO__V1__CODE__OK
                               : fault_set(fault, UNAVAILABLE, "cannot listen on %s: %s",
                                           address->url, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fault_set(fault, UNAVAILABLE,
                         "cannot listen on %s: something that is no socket lies there; move it "
                         "away or listen elsewhere",
                         address->url);
    if (st.st_uid != geteuid())
        return fault_set(fault, UNAVAILABLE,
                         "cannot listen on %s: the socket there belongs to uid %u, not to us; "
                         "remove it or listen elsewhere",
                         address->url, (unsigned)st.st_uid);
    if (alive(address))
        return fault_set(fault, UNAVAILABLE, "cannot listen on %s: another process listens there",
                         address->url);
    if (unlink(address->path) != 0 && errno != ENOENT)
        return fault_set(fault, UNAVAILABLE, "cannot remove the stale socket %s: %s", address->path,
                         strerror(errno));
    return HERO__V1__CODE__OK;
}

Code server_address_bound(struct server_address *address, const char *group, struct fault *fault)
{
    struct stat st;

    if (!address->is_ipc)
        return HERO__V1__CODE__OK;
    if (group) {
        struct group *entry = getgrnam(group);
        if (!entry)
            return fault_set(fault, UNAVAILABLE, "no group \"%s\" for %s (socket-group)", group,
                             address->url);
        if (lchown(address->path, (uid_t)-1, entry->gr_gid) != 0)
            return fault_set(fault, UNAVAILABLE, "cannot give %s to group %s: %s", address->path,
                             group, strerror(errno));
    }
    if (lstat(address->path, &st) != 0)
        return fault_set(fault, UNAVAILABLE, "cannot find the socket just made, %s: %s",
                         address->path, strerror(errno));
    address->device = st.st_dev;
    address->inode = st.st_ino;
    address->bound = true;
    return HERO__V1__CODE__OK;
}

void server_address_set_port(struct server_address *address, uint16_t port, char *ret_url,
                             size_t size)
{
    int len = (int)(strrchr(address->url, ':') - address->url);

    snprintf(ret_url, size, "%.*s:%u", len, address->url, ntohs(port));
    if (address->connect_to.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->connect_to)->sin6_port = port;
    else
        ((struct sockaddr_in *)&address->connect_to)->sin_port = port;
}

void server_address_remove(struct server_address *address)
{
    struct stat st;

    if (address->bound && lstat(address->path, &st) == 0 && st.st_dev == address->device &&
        st.st_ino == address->inode)
        unlink(address->path);
    address->bound = false;
}
