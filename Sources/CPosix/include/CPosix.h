/*
 * What Swift cannot import from the C library, or should not call by itself: variadic functions,
 * compound macros, and the few lines between fork and exec that must be async-signal-safe.
 *
 * Every function that can fail returns -1 (or NULL) and leaves the cause in errno, unless it says otherwise.
 */
#ifndef CPOSIX_H
#define CPOSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/* ---- Errors ---- */

/* errno of the calling thread. */
int32_t cposix_errno(void);

/* Writes the text of an errno value, always terminated, into buffer. */
void cposix_error_text(int32_t code, char *buffer, size_t capacity);

/* ---- A mutex with its condition (CLOCK_MONOTONIC), at an address that never moves ---- */

typedef struct cposix_lock cposix_lock;

/* NULL when memory or the kernel refuses. */
cposix_lock *_Nullable cposix_lock_create(void);
void cposix_lock_destroy(cposix_lock *lock);
void cposix_lock_acquire(cposix_lock *lock);
void cposix_lock_release(cposix_lock *lock);
/* Waits with the lock held. deadline_nanoseconds is on CLOCK_MONOTONIC; negative waits without limit.
   Returns false once the deadline has passed. Wakes spuriously now and then. */
bool cposix_lock_wait(cposix_lock *lock, int64_t deadline_nanoseconds);
void cposix_lock_wake_all(cposix_lock *lock);

/* ---- Threads ---- */

/* Starts a detached-or-joined-later thread named name (15 bytes are kept). Returns an errno value, 0 on success. */
int32_t cposix_thread_start(uint64_t *handle, const char *name, void (*body)(void *context), void *context);
void cposix_thread_join(uint64_t handle);
void cposix_thread_detach(uint64_t handle);
/* Name of the calling thread, as /proc shows it. */
void cposix_thread_name(char *buffer, size_t capacity);

/* ---- Clocks ---- */

int64_t cposix_monotonic_nanoseconds(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t cposix_wall_milliseconds(void);
/* CPU time of the whole process, and of the calling thread. */
int64_t cposix_process_cpu_nanoseconds(void);
int64_t cposix_thread_cpu_nanoseconds(void);

/* ---- Events and polling ---- */

/* A non-blocking, close-on-exec eventfd. */
int32_t cposix_event_create(void);
void cposix_event_signal(int32_t descriptor);
/* Takes what was signalled since the last call; 0 when nothing was. */
uint64_t cposix_event_drain(int32_t descriptor);

/* Close-on-exec pipe: ends[0] reads, ends[1] writes. */
int32_t cposix_pipe(int32_t ends[_Nonnull 2]);
int32_t cposix_set_nonblocking(int32_t descriptor, bool enabled);

/* ---- Signals ---- */

/* Blocks SIGTERM, SIGINT (and SIGHUP when asked) for this thread and its later children, and ignores SIGPIPE. */
void cposix_stop_signals_block(bool hangup_too);
/* Waits for one of the signals blocked above. timeout_milliseconds negative: without limit.
   Returns the signal's number, or 0 when the time is over. */
int32_t cposix_stop_signals_wait(int64_t timeout_milliseconds, bool hangup_too);

/* ---- Processes ---- */

/* Fewer malloc arenas: librdkafka's threads each fill one otherwise. */
void cposix_limit_arenas(int32_t count);
/* Cores this process may run on (affinity), at least 1. */
int32_t cposix_processor_count(void);
/* The environment, terminated by NULL. */
char *_Nullable *_Nonnull cposix_environment(void);

typedef struct cposix_account {
    uid_t user;
    gid_t group;
} cposix_account;
/* 0 when found, -1 when there is no such user (errno 0) or the look-up failed. */
int32_t cposix_account_named(const char *name, cposix_account *account);

/* What to start. Strings and arrays are read before the call returns. */
typedef struct cposix_spawn_request {
    const char *executable;
    char *const _Nullable *_Nonnull arguments;   /* with argv[0], ends with NULL */
    char *const _Nullable *_Nonnull environment; /* ends with NULL */
    const char *_Nullable working_directory;
    int32_t descriptors[3];         /* become stdin, stdout, stderr; -1: inherit */
    bool switch_account;            /* setgroups, setgid, setuid to the next two */
    cposix_account account;
    const char *_Nullable account_name; /* its supplementary groups; NULL: only account.group */
    bool own_process_group;
    bool dies_with_parent;          /* SIGKILL when the starting thread ends */
} cposix_spawn_request;

/* Steps at which a child may fail before it runs its program. */
enum {
    CPOSIX_STAGE_FORK = 1,
    CPOSIX_STAGE_ACCOUNT = 2,
    CPOSIX_STAGE_DIRECTORY = 3,
    CPOSIX_STAGE_DESCRIPTORS = 4,
    CPOSIX_STAGE_EXECUTE = 5
};

/* Starts a program. Returns its pid, or -1 with errno and *stage set; no child is left behind then. */
int32_t cposix_spawn(const cposix_spawn_request *request, int32_t *stage);
/* Blocks until the child has ended, without reaping it. */
int32_t cposix_child_wait(int32_t pid);
/* Reaps a child that has ended. *exit_code is set for a normal end, else *signal_number. */
int32_t cposix_child_reap(int32_t pid, int32_t *exit_code, int32_t *signal_number);
int32_t cposix_kill(int32_t pid, int32_t signal_number);

/* ---- Files ---- */

enum {
    CPOSIX_OPEN_READ = 0,
    CPOSIX_OPEN_TRUNCATE = 1, /* create or empty, write */
    CPOSIX_OPEN_APPEND = 2,   /* create, write at the end */
    CPOSIX_OPEN_EXCLUSIVE = 3 /* create, fail when it exists */
};

/* Opens close-on-exec. */
int32_t cposix_open(const char *path, int32_t manner, uint32_t mode);
/* Size in bytes, kind: 1 file, 2 directory, 3 other. Follows links. */
int32_t cposix_status(const char *path, int64_t *size, int32_t *kind);
/* Removes a file or a directory with all that is in it; never follows a symbolic link. */
int32_t cposix_remove_tree(const char *path);
/* chown of path and all below it, links themselves included. */
int32_t cposix_change_owner_tree(const char *path, cposix_account account);

/* Hands on what printf and Swift's print hold back. */
void cposix_flush_output(void);

/* The commit that this was built from, or "unknown". Static memory. */
const char *cposix_build_commit(void);

/* Random bytes of the kernel. */
int32_t cposix_random(void *buffer, size_t count);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
