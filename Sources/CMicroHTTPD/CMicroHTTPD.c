#include "CMicroHTTPD.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct vs_http_server {
    struct MHD_Daemon *daemon;
    vs_http_callbacks callbacks;
};

// A slot travels through libmicrohttpd as a pointer; + 1, since NULL means that nothing was set.
static void *pointer_from_slot(int32_t slot) { return (void *)((intptr_t)slot + 1); }
static int32_t slot_from_pointer(const void *pointer) { return (int32_t)((intptr_t)pointer - 1); }

static int32_t slot_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? -1 : slot_from_pointer(info->socket_context);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    vs_http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info == NULL) return;
        *socket_context =
            pointer_from_slot(server->callbacks.opened(server->callbacks.context, info->connect_fd));
    } else if (*socket_context != NULL) {
        server->callbacks.closed(server->callbacks.context, slot_from_pointer(*socket_context));
        *socket_context = NULL;
    }
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_length, void **request_state) {
    (void)version;
    (void)upload;
    vs_http_server *server = context;
    const vs_http_callbacks *callbacks = &server->callbacks;
    int32_t slot = slot_of(connection);
    int verdict;
    if (*request_state == NULL) {
        *request_state = server;
        verdict = callbacks->headers(callbacks->context, slot, (vs_http_connection *)connection, method, url);
    } else if (*upload_length != 0) {
        size_t length = *upload_length;
        *upload_length = 0;
        verdict = callbacks->body(callbacks->context, slot, length);
    } else {
        verdict = callbacks->complete(callbacks->context, slot, (vs_http_connection *)connection, method, url);
    }
    return verdict == VS_HTTP_CONTINUE ? MHD_YES : MHD_NO;
}

static void on_finished(void *context, struct MHD_Connection *connection, void **request_state,
                        enum MHD_RequestTerminationCode code) {
    (void)code;
    vs_http_server *server = context;
    *request_state = NULL;
    server->callbacks.finished(server->callbacks.context, slot_of(connection));
}

// The path is compared as it was sent: libmicrohttpd's own decoding would end "/healthz%00x" at the zero byte.
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

vs_http_server *vs_http_create(int listener, const vs_http_callbacks *callbacks, uint32_t max_connections,
                               size_t connection_memory_bytes) {
    vs_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) return NULL;
    server->callbacks = *callbacks;
    errno = 0;
    // No MHD_OPTION_CONNECTION_TIMEOUT: it counts idleness only. The owner's deadlines cut idle and slow ones alike.
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)max_connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory_bytes,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_finished, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_END);
    if (server->daemon == NULL) {
        int error = errno == 0 ? EINVAL : errno;
        free(server);
        errno = error;
        return NULL;
    }
    return server;
}

void vs_http_destroy(vs_http_server *server) {
    if (server == NULL) return;
    // microhttpd.h, MHD_quiesce_daemon: the listening socket is the caller's again; in external mode it may be
    // closed at once.
    MHD_socket listener = MHD_quiesce_daemon(server->daemon);
    if (listener != MHD_INVALID_SOCKET) close(listener);
    MHD_stop_daemon(server->daemon);
    free(server);
}

int vs_http_descriptor(const vs_http_server *server) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info == NULL ? -1 : info->epoll_fd;
}

int vs_http_timeout_milliseconds(vs_http_server *server) {
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    if (MHD_get_timeout(server->daemon, &milliseconds) != MHD_YES) return -1;
    return milliseconds > 3600000 ? 3600000 : (int)milliseconds;
}

int vs_http_turn(vs_http_server *server) {
    errno = 0;
    if (MHD_run(server->daemon) == MHD_YES) return 0;
    return errno == 0 ? EIO : errno;
}

void vs_http_cut(int socket) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    shutdown(socket, SHUT_RDWR);
}

static void read_content_length(vs_http_framing *framing, const char *text) {
    uint64_t value = 0;
    framing->content_length_is_number = *text != '\0';
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (uint64_t)INT64_MAX / 10 - 1) {
            framing->content_length_is_number = 0;
            return;
        }
        value = value * 10 + (uint64_t)(*text - '0');
    }
    framing->content_length = value;
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    (void)kind;
    vs_http_framing *framing = context;
    if (strcasecmp(name, "Content-Length") == 0) {
        framing->content_length_count++;
        read_content_length(framing, value == NULL ? "" : value);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->transfer_encoding_count++;
        framing->transfer_encoding_is_chunked = value != NULL && strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(name, "Host") == 0) {
        framing->host_count++;
    }
    return MHD_YES;
}

vs_http_framing vs_http_read_framing(vs_http_connection *connection) {
    vs_http_framing framing = {0};
    MHD_get_connection_values((struct MHD_Connection *)connection, MHD_HEADER_KIND, on_header, &framing);
    return framing;
}

vs_http_response *vs_http_response_create(const void *body, size_t length) {
    // MHD_RESPMEM_MUST_COPY only reads; the parameter is not const in 0.9.75.
    return (vs_http_response *)MHD_create_response_from_buffer(length, (void *)(uintptr_t)body,
                                                               MHD_RESPMEM_MUST_COPY);
}

int vs_http_response_header(vs_http_response *response, const char *name, const char *value) {
    return MHD_add_response_header((struct MHD_Response *)response, name, value) == MHD_YES;
}

int vs_http_response_send(vs_http_response *response, vs_http_connection *connection, uint32_t status) {
    enum MHD_Result result =
        MHD_queue_response((struct MHD_Connection *)connection, status, (struct MHD_Response *)response);
    // The connection holds its own reference from here on.
    MHD_destroy_response((struct MHD_Response *)response);
    return result == MHD_YES ? VS_HTTP_CONTINUE : VS_HTTP_DROP;
}

void vs_http_response_discard(vs_http_response *response) {
    MHD_destroy_response((struct MHD_Response *)response);
}

const char *vs_http_library_version(void) { return MHD_get_version(); }
