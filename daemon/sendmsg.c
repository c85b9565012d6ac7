/*
 * sendmsg() as libnng sees it: a peer that is gone takes what it is sent.
 *
 * nng 1.5.2 (Debian 12) can't stand a failure to send:
 *  - EPIPE on a connection being negotiated is "the listener is closed" to it,
 *    and it never accepts again: one connect() and close() ends an ipc
 *    listener for good (nng #1518, fixed in 1.6.0);
 *  - a connection that ends because of its sending side, between the head and
 *    the body of a message that it receives, never gives the receiving aio
 *    back (ipc_pipe_recv_cb goes on with an aio that is stopped, which is never
 *    told). nng's one reaper thread waits for it from then on: no connection
 *    of the process ends any more, and each client that goes leaves a
 *    descriptor behind.
 * So the end of a connection is left to its receiving side, which sees it in
 * any case and copes. What was sent to nobody is lost as what a dying peer had
 * not read yet: clients settle their writes by seq. Harmless with later
 * versions.
 *
 * This definition in the executable comes before libc's in the search for the
 * symbol. It works only while libnng is a shared library and this symbol is in
 * the executable's dynamic table; tests/integration/test_hostile.c looks at the
 * table and runs the attacks.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static ssize_t length_of(const struct msghdr *message)
{
    size_t len = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        len += message->msg_iov[i].iov_len;
    return (ssize_t)len;
}

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *message,
                                                       int flags)
{
    ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);

    return sent < 0 && (errno == EPIPE || errno == ECONNRESET) ? length_of(message) : sent;
}
