/// libmicrohttpd as Swift can call it: no variadic start, no enums whose prefixes change between versions.
///
/// The server runs in libmicrohttpd's external mode: nothing happens, and no callback comes, except inside
/// vs_http_turn and vs_http_destroy, on the thread that calls them. So there is no lock here and no second thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct vs_http_server vs_http_server;
typedef struct vs_http_connection vs_http_connection;
typedef struct vs_http_response vs_http_response;

/// Returned by the callbacks: go on, or drop the connection without an answer.
enum { VS_HTTP_DROP = 0, VS_HTTP_CONTINUE = 1 };

/// What the server asks its owner. `slot` is what `opened` returned for the connection, or -1 when libmicrohttpd
/// has no record of it.
typedef struct {
    void *context;
    /// A connection was accepted; returns the owner's own non-negative number for it.
    int32_t (*opened)(void *context, int socket);
    /// The connection is about to be closed; after this its socket number may be in use again.
    void (*closed)(void *context, int32_t slot);
    /// Request line and headers are here, no byte of the body. May answer at once (the body is then never read).
    int (*headers)(void *context, int32_t slot, vs_http_connection *connection, const char *method, const char *path);
    /// `length` bytes of the body arrived (they are thrown away). Must not answer.
    int (*body)(void *context, int32_t slot, size_t length);
    /// The whole request is here; must answer.
    int (*complete)(void *context, int32_t slot, vs_http_connection *connection, const char *method, const char *path);
    /// The answer is sent, or given up.
    void (*finished)(void *context, int32_t slot);
} vs_http_callbacks;

/// How a request says where its body ends, and for whom it is: what libmicrohttpd lets pass unseen.
typedef struct {
    uint32_t content_length_count;
    uint32_t transfer_encoding_count;
    uint32_t host_count;
    /// 1 when the (last) Content-Length is digits only and fits 63 bits.
    uint32_t content_length_is_number;
    /// 1 when the (last) Transfer-Encoding is exactly "chunked".
    uint32_t transfer_encoding_is_chunked;
    uint64_t content_length;
} vs_http_framing;

/// Serves the listening socket `listener`, which it takes over and closes in vs_http_destroy. Returns NULL with errno
/// on failure; the socket then stays the caller's. `callbacks` is copied.
vs_http_server *_Nullable vs_http_create(int listener, const vs_http_callbacks *callbacks, uint32_t max_connections,
                               size_t connection_memory_bytes);
/// Stops listening, closes every connection (with its callbacks) and frees the server.
void vs_http_destroy(vs_http_server *_Nullable server);
/// The descriptor that is readable when vs_http_turn has work.
int vs_http_descriptor(const vs_http_server *server);
/// The longest the caller may wait before the next turn, in milliseconds; -1: until the descriptor is readable.
int vs_http_timeout_milliseconds(vs_http_server *server);
/// Does what can be done without waiting: accepts, reads, answers, closes. Returns 0 or an errno.
int vs_http_turn(vs_http_server *server);
/// Ends a connection's transport from within the owner's thread; libmicrohttpd notices in the next turn and closes
/// it. What is not sent yet is thrown away (reset), so that a reader who stands still holds no kernel memory.
void vs_http_cut(int socket);

/// Reads a request's framing headers. Only inside `headers` and `complete`.
vs_http_framing vs_http_read_framing(vs_http_connection *connection);

/// An answer; `body` is copied. NULL when out of memory.
vs_http_response *_Nullable vs_http_response_create(const void *_Nullable body, size_t length);
/// Adds a header; returns 0 when libmicrohttpd refuses it (a line break in it) or has no memory.
int vs_http_response_header(vs_http_response *response, const char *name, const char *value);
/// Sends the answer and frees it, whatever happens. Returns a VS_HTTP_ value for the callback to return.
int vs_http_response_send(vs_http_response *response, vs_http_connection *connection, uint32_t status);
/// Frees an answer that was not sent.
void vs_http_response_discard(vs_http_response *response);

/// libmicrohttpd's version as text, of the library that is loaded.
const char *vs_http_library_version(void);

/// Opens a listening TCP socket. Returns the descriptor; -1 with *error an errno; -2 with *error a getaddrinfo code.
/// `port` 0 takes any; *bound_port gets the real one. "::" listens for IPv4 too.
int vs_socket_listen(const char *host, uint16_t port, int backlog, uint16_t *bound_port, int *error);
/// Connects within `timeout_milliseconds` and leaves the socket non-blocking; returns as vs_socket_listen (ETIMEDOUT
/// when late). A name that needs a resolver blocks as long as the resolver does; numbers do not.
int vs_socket_connect(const char *host, uint16_t port, uint32_t timeout_milliseconds, int *error);
/// What a getaddrinfo code means.
const char *vs_socket_resolver_text(int code);

#pragma clang assume_nonnull end
