#include "CMicroHTTPD.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef int (*use_address)(int socket, const struct addrinfo *address, int64_t deadline_milliseconds);

static int64_t monotonic_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Tries every address of the name in turn; the last failure is the one that is told.
static int open_socket(const char *host, uint16_t port, int flags, use_address use, int64_t deadline_milliseconds,
                       int *error) {
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    int code = getaddrinfo(host, service, &hints, &addresses);
    if (code != 0) {
        *error = code;
        return -2;
    }
    int found = -1;
    *error = EADDRNOTAVAIL;
    for (const struct addrinfo *address = addresses; address != NULL && found < 0; address = address->ai_next) {
        int candidate = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (candidate < 0) {
            *error = errno;
        } else if (use(candidate, address, deadline_milliseconds) != 0) {
            *error = errno;
            close(candidate);
        } else {
            found = candidate;
        }
    }
    freeaddrinfo(addresses);
    return found;
}

static int bind_address(int socket, const struct addrinfo *address, int64_t deadline_milliseconds) {
    (void)deadline_milliseconds;
    int on = 1, off = 0;
    // A restart must not wait for the old connections' TIME_WAIT.
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6) setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return bind(socket, address->ai_addr, address->ai_addrlen);
}

static int connect_address(int socket, const struct addrinfo *address, int64_t deadline_milliseconds) {
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket, address->ai_addr, address->ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return -1;
    // Waited for here, not by the caller, so that a refused ::1 goes on to 127.0.0.1.
    struct pollfd entry = {.fd = socket, .events = POLLOUT};
    for (;;) {
        int64_t left = deadline_milliseconds - monotonic_milliseconds();
        int ready = left <= 0 ? 0 : poll(&entry, 1, left > 3600000 ? 3600000 : (int)left);
        if (ready > 0) break;
        if (ready == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (errno != EINTR) return -1;
    }
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

int vs_socket_listen(const char *host, uint16_t port, int backlog, uint16_t *bound_port, int *error) {
    int listener = open_socket(host, port, AI_PASSIVE, bind_address, 0, error);
    if (listener < 0) return listener;
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    if (listen(listener, backlog) != 0 || getsockname(listener, (struct sockaddr *)&bound, &length) != 0) {
        *error = errno;
        close(listener);
        return -1;
    }
    *bound_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                    : ((struct sockaddr_in *)&bound)->sin_port);
    return listener;
}

int vs_socket_connect(const char *host, uint16_t port, uint32_t timeout_milliseconds, int *error) {
    return open_socket(host, port, 0, connect_address, monotonic_milliseconds() + timeout_milliseconds, error);
}

const char *vs_socket_resolver_text(int code) { return gai_strerror(code); }
