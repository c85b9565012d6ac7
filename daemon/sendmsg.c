/*
 * sendmsg() as libnng sees it: keeps a listener alive when a peer goes away
 * in the middle of the handshake.
 *
 * nng 1.5.2 (Debian 12) takes EPIPE on a connection being negotiated for "the
 * listener is closed" and never accepts again: one connect() and close() ends
 * an ipc listener for good (nng #1518, fixed in 1.6.0). This definition in the
 * executable comes before libc's in the search for the symbol, so that libnng
 * calls it; ECONNRESET means "that peer, not us" to nng. Harmless with later
 * versions.
 *
 * It works only while libnng is a shared library and this symbol is in the
 * executable's dynamic table; tests/integration/test_hostile.c looks at the
 * table and runs the attack.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *message,
                                                       int flags)
{
    ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);

    if (sent < 0 && errno == EPIPE)
        errno = ECONNRESET;
    return sent;
}
