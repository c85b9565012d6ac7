/* A client without a client library; see sp.h. */
#include "sp.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define LARGEST (64u * 1024 * 1024)

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct sp sp_connect(const char *url)
{
    struct sp sp = {.fd = -1, .is_ipc = strncmp(url, "ipc://", 6) == 0, .next_id = 0x80000001};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {SP_TIMEOUT_MS / 1000, 0};
    const struct sockaddr *address = sp.is_ipc ? (struct sockaddr *)&un : (struct sockaddr *)&in;

    if (sp.is_ipc)
        snprintf(un.sun_path, sizeof(un.sun_path), "%s", url + 6);
    else
        in.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    sp.fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* a listener that accepts no more lets connect() wait for ever */
    setsockopt(sp.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!sp.is_ipc)
        setsockopt(sp.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(sp.fd, address, sp.is_ipc ? sizeof(un) : sizeof(in)) != 0) {
        int error = errno;
        close(sp.fd);
        sp.fd = -1;
        errno = error;
    }
    return sp;
}

long sp_write(struct sp *sp, const void *bytes, size_t len)
{
    return send(sp->fd, bytes, len, MSG_NOSIGNAL);
}

static bool write_all(struct sp *sp, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        long n = sp_write(sp, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_all(struct sp *sp, void *bytes, size_t len, double until)
{
    char *at = bytes;

    while (len > 0) {
        struct pollfd poller = {.fd = sp->fd, .events = POLLIN};
        double left = until - now_ms();
        if (left <= 0 || poll(&poller, 1, (int)left + 1) != 1)
            return false;
        ssize_t n = recv(sp->fd, at, len, 0);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool sp_shake_hands(struct sp *sp)
{
    static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    static const uint8_t expected[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
    uint8_t back[8];

    return sp->fd >= 0 && write_all(sp, hello, sizeof(hello)) &&
           read_all(sp, back, sizeof(back), now_ms() + SP_TIMEOUT_MS) &&
           memcmp(back, expected, sizeof(back)) == 0;
}

struct sp sp_dial(const char *url)
{
    struct sp sp = sp_connect(url);

    if (sp.fd < 0)
        fail_msg("connect %s: %s", url, strerror(errno));
    if (!sp_shake_hands(&sp))
        fail_msg("no handshake from %s", url);
    return sp;
}

void sp_close(struct sp *sp)
{
    if (sp->fd >= 0)
        close(sp->fd);
    sp->fd = -1;
}

bool sp_send(struct sp *sp, uint32_t id, const void *bytes, size_t len, uint64_t declared)
{
    uint8_t head[13] = {1};
    uint64_t frame_len = htobe64(declared ? declared : len + 4);
    uint32_t wire_id = htobe32(id);

    memcpy(head + 1, &frame_len, 8);
    memcpy(head + 9, &wire_id, 4);
    return write_all(sp, head + !sp->is_ipc, sizeof(head) - !sp->is_ipc) &&
           write_all(sp, bytes, len);
}

uint8_t *sp_receive(struct sp *sp, uint32_t *ret_id, size_t *ret_len, int timeout_ms)
{
    double until = now_ms() + timeout_ms;
    uint8_t head[9];
    uint32_t id;
    uint64_t len;

    if (!read_all(sp, head + !sp->is_ipc, sizeof(head) - !sp->is_ipc, until))
        return NULL;
    memcpy(&len, head + 1, 8);
    len = be64toh(len);
    if (len < 4 || len > LARGEST || !read_all(sp, &id, 4, until))
        return NULL;
    uint8_t *bytes = malloc((size_t)len); /* never 0 */
    if (!read_all(sp, bytes, (size_t)len - 4, until)) {
        free(bytes);
        return NULL;
    }
    if (ret_id)
        *ret_id = be32toh(id);
    *ret_len = (size_t)len - 4;
    return bytes;
}

bool sp_is_closed(struct sp *sp, int timeout_ms)
{
    double until = now_ms() + timeout_ms;
    char bytes[4096];

    for (;;) {
        struct pollfd poller = {.fd = sp->fd, .events = POLLIN};
        double left = until - now_ms();
        if (left <= 0 || poll(&poller, 1, (int)left + 1) != 1)
            return false;
        if (recv(sp->fd, bytes, sizeof(bytes), 0) <= 0)
            return true;
    }
}

void sp_fill_request(Hero__V1__Request *request, const char *method, const ProtobufCMessage *input)
{
    hero__v1__request__init(request);
    request->method = (char *)(uintptr_t)method;
    request->has_payload = true;
    request->payload.len = protobuf_c_message_get_packed_size(input);
    request->payload.data = malloc(request->payload.len + 1);
    protobuf_c_message_pack(input, request->payload.data);
}

bool sp_send_request(struct sp *sp, const Hero__V1__Request *request, uint32_t *ret_id)
{
    size_t len = hero__v1__request__get_packed_size(request);
    uint8_t *bytes = malloc(len + 1);
    uint32_t id = sp->next_id++;

    hero__v1__request__pack(request, bytes);
    bool sent = sp_send(sp, id, bytes, len, 0);
    free(bytes);
    if (ret_id)
        *ret_id = id;
    return sent;
}

Hero__V1__Response *sp_receive_answer(struct sp *sp, uint32_t *ret_id, int timeout_ms)
{
    size_t len;
    uint8_t *bytes = sp_receive(sp, ret_id, &len, timeout_ms);
    Hero__V1__Response *response = bytes ? hero__v1__response__unpack(NULL, len, bytes) : NULL;

    free(bytes);
    return response;
}

Hero__V1__Response *sp_request(struct sp *sp, const Hero__V1__Request *request)
{
    uint32_t wanted, id = 0;
    Hero__V1__Response *response = NULL;

    if (!sp_send_request(sp, request, &wanted))
        return NULL;
    do {
        if (response)
            hero__v1__response__free_unpacked(response, NULL);
        response = sp_receive_answer(sp, &id, SP_TIMEOUT_MS);
    } while (response && id != wanted);
    return response;
}

Hero__V1__Response *sp_call(struct sp *sp, const char *method, const ProtobufCMessage *input)
{
    Hero__V1__Request request;

    sp_fill_request(&request, method, input);
    Hero__V1__Response *response = sp_request(sp, &request);
    free(request.payload.data);
    return response;
}

int sp_code(const Hero__V1__Response *response)
{
    if (!response)
        return -1;
    return response->status ? (int)response->status->code : HERO__V1__CODE__OK;
}

int sp_call_code(struct sp *sp, const char *method, const ProtobufCMessage *input)
{
    Hero__V1__Response *response = sp_call(sp, method, input);
    int code = sp_code(response);

    if (response)
        hero__v1__response__free_unpacked(response, NULL);
    return code;
}

void sp_apply(struct sp *sp, const uint8_t *set, size_t len)
{
    Hero__V1__ApplyModelsRequest apply = HERO__V1__APPLY_MODELS_REQUEST__INIT;

    apply.has_descriptor_set = true;
    apply.descriptor_set.data = (uint8_t *)(uintptr_t)set;
    apply.descriptor_set.len = len;
    Hero__V1__Response *response = sp_call(sp, "hero.v1.Models/Apply", &apply.base);
    if (sp_code(response) != HERO__V1__CODE__OK)
        fail_msg("Apply: %s",
                 response && response->status ? response->status->message : "no answer");
    hero__v1__response__free_unpacked(response, NULL);
}

double sp_check_ms(const char *url)
{
    Hero__V1__CheckRequest check = HERO__V1__CHECK_REQUEST__INIT;
    double started = now_ms();
    struct sp sp = sp_dial(url);
    int code = sp_call_code(&sp, "hero.v1.Admin/Check", &check.base);
    double took = now_ms() - started;

    sp_close(&sp);
    if (code != HERO__V1__CODE__OK)
        fail_msg("Check on %s: %d", url, code);
    return took;
}
