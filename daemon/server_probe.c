/*
 * The probe. Owns just enough of the SP wire format to ask one question; the
 * frame inside it is made and read like everybody's. See server_probe.h.
 */
#include "server_probe.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "frame.h"

#define METHOD "hero.v1.Admin/Check"
#define MAX_ANSWER 4096
#define ARENA_BYTES (64 * 1024)
/* "\0SP\0", protocol req0 (0x30), reserved */
static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t hello_back[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd poller = {.fd = fd, .events = events};
    int64_t left = deadline_ms - now_ms();

    return left > 0 && poll(&poller, 1, (int)left) == 1;
}

static bool send_all(int fd, const void *bytes, size_t len, int64_t deadline_ms)
{
    const char *at = bytes;

    while (len > 0) {
        if (!wait_for(fd, POLLOUT, deadline_ms))
            return false;
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static bool receive_all(int fd, void *bytes, size_t len, int64_t deadline_ms)
{
    char *at = bytes;

    while (len > 0) {
        if (!wait_for(fd, POLLIN, deadline_ms))
            return false;
        ssize_t n = recv(fd, at, len, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return false;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* ipc frames start with a type byte, 1; then 64 bits of length, the request's
 * id with its highest bit set, the body. */
static bool ask(int fd, bool is_ipc, int64_t deadline_ms)
{
    Hero__V1__Request request = HERO__V1__REQUEST__INIT;
    uint8_t bytes[128], *at = bytes;

    request.method = (char[]){METHOD};
    size_t len = hero__v1__request__get_packed_size(&request);
    uint64_t frame_len = htobe64(len + 4);
    uint32_t id = htobe32(0x80000001);
    if (is_ipc)
        *at++ = 1;
    memcpy(at, &frame_len, 8);
    memcpy(at + 8, &id, 4);
    at += 12;
    at += hero__v1__request__pack(&request, at);
    return send_all(fd, bytes, (size_t)(at - bytes), deadline_ms);
}

static bool read_answer(int fd, bool is_ipc, int64_t deadline_ms)
{
    uint8_t head[9], body[MAX_ANSWER];
    Hero__V1__Response *response;
    struct fault fault = FAULT_INIT;
    struct arena arena;
    uint64_t len;

    if (!receive_all(fd, head + !is_ipc, is_ipc ? 9 : 8, deadline_ms))
        return false;
    memcpy(&len, head + 1, 8);
    len = be64toh(len);
    if (len < 4 || len > sizeof(body) || !receive_all(fd, body, (size_t)len, deadline_ms))
        return false;
    arena_init(&arena, ARENA_BYTES);
    bool ok = frame_unpack_response(body + 4, (size_t)len - 4, &arena, &response, &fault) ==
                  HERO__V1__CODE__OK &&
              !response->status;
    arena_done(&arena);
    fault_done(&fault);
    return ok;
}

/* A tcp peer has no pid: the server knows its own probe by the port. */
static void take_port(int fd, const struct server_address *address, atomic_uint *port)
{
    struct sockaddr_storage own = {.ss_family = address->connect_to.ss_family};
    socklen_t len = address->connect_len;

    if (address->is_ipc)
        return;
    if (own.ss_family == AF_INET)
        ((struct sockaddr_in *)&own)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&own)->sin6_addr = in6addr_loopback;
    if (bind(fd, (struct sockaddr *)&own, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &len) != 0)
        return;
    atomic_store(port, own.ss_family == AF_INET ? ((struct sockaddr_in *)&own)->sin_port
                                                : ((struct sockaddr_in6 *)&own)->sin6_port);
}

static bool connect_within(int fd, const struct server_address *address, int64_t deadline_ms)
{
    int error = 0;
    socklen_t len = sizeof(error);

    /* a unix socket's full backlog is EAGAIN and no event tells when it has
     * room: asked again until the deadline */
    while (connect(fd, (const struct sockaddr *)&address->connect_to, address->connect_len) != 0) {
        if (errno == EINPROGRESS)
            break;
        if (errno != EAGAIN || now_ms() >= deadline_ms)
            return false;
        poll(NULL, 0, 10);
    }
    if (!wait_for(fd, POLLOUT, deadline_ms))
        return false;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

Code server_probe_address(const struct server_address *address, uint32_t timeout_ms,
                          atomic_uint *port, struct fault *fault)
{
    int64_t deadline_ms = now_ms() + timeout_ms;
    int fd = socket(address->connect_to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *failed = NULL;
    uint8_t back[8];

    if (fd < 0)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "no descriptor to probe %s with: %s", address->url, strerror(errno));
    take_port(fd, address, port);
    if (!connect_within(fd, address, deadline_ms))
        failed = "connect";
    else if (!send_all(fd, hello, sizeof(hello), deadline_ms) ||
             !receive_all(fd, back, sizeof(back), deadline_ms) ||
             memcmp(back, hello_back, sizeof(back)) != 0)
        failed = "handshake";
    else if (!ask(fd, address->is_ipc, deadline_ms))
        failed = "request";
    else if (!read_answer(fd, address->is_ipc, deadline_ms))
        failed = "answer";
    close(fd);
    atomic_store(port, 0);
    if (failed)
        return fault_set(fault, HERO__V1__CODE__UNAVAILABLE,
                         "herod does not answer itself on %s (%s within %u ms)", address->url,
                         failed, timeout_ms);
    return HERO__V1__CODE__OK;
}
