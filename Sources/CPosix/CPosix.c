#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t nanoseconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- Errors ---- */

int32_t cposix_errno(void) { return errno; }

void cposix_error_text(int32_t code, char *buffer, size_t capacity) {
    if (capacity == 0) return;
    /* The GNU form returns a pointer that may or may not be our buffer. */
    char scratch[256];
    const char *text = strerror_r(code, scratch, sizeof scratch);
    strncpy(buffer, text, capacity - 1);
    buffer[capacity - 1] = 0;
}

/* ---- Lock ---- */

struct cposix_lock {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

cposix_lock *cposix_lock_create(void) {
    cposix_lock *lock = malloc(sizeof *lock);
    if (!lock) return NULL;
    if (pthread_mutex_init(&lock->mutex, NULL) != 0) {
        free(lock);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&lock->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    if (failed) {
        pthread_mutex_destroy(&lock->mutex);
        free(lock);
        return NULL;
    }
    return lock;
}

void cposix_lock_destroy(cposix_lock *lock) {
    pthread_cond_destroy(&lock->condition);
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void cposix_lock_acquire(cposix_lock *lock) {
    /* The only possible failures are programmer errors (destroyed lock). */
    if (pthread_mutex_lock(&lock->mutex) != 0) abort();
}

void cposix_lock_release(cposix_lock *lock) {
    if (pthread_mutex_unlock(&lock->mutex) != 0) abort();
}

bool cposix_lock_wait(cposix_lock *lock, int64_t deadline_nanoseconds) {
    if (deadline_nanoseconds < 0) {
        pthread_cond_wait(&lock->condition, &lock->mutex);
        return true;
    }
    struct timespec deadline = {
        .tv_sec = deadline_nanoseconds / 1000000000,
        .tv_nsec = deadline_nanoseconds % 1000000000,
    };
    return pthread_cond_timedwait(&lock->condition, &lock->mutex, &deadline) != ETIMEDOUT;
}

void cposix_lock_wake_all(cposix_lock *lock) { pthread_cond_broadcast(&lock->condition); }

/* ---- Threads ---- */

struct thread_start {
    char name[16];
    void (*body)(void *);
    void *context;
};

static void *thread_main(void *argument) {
    struct thread_start start = *(struct thread_start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int32_t cposix_thread_start(uint64_t *handle, const char *name, void (*body)(void *), void *context) {
    struct thread_start *start = calloc(1, sizeof *start);
    if (!start) return ENOMEM;
    strncpy(start->name, name, sizeof start->name - 1);
    start->body = body;
    start->context = context;
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, thread_main, start);
    if (failed) {
        free(start);
        return failed;
    }
    *handle = (uint64_t)thread;
    return 0;
}

void cposix_thread_join(uint64_t handle) { pthread_join((pthread_t)handle, NULL); }
void cposix_thread_detach(uint64_t handle) { pthread_detach((pthread_t)handle); }

void cposix_thread_name(char *buffer, size_t capacity) {
    if (capacity == 0) return;
    buffer[0] = 0;
    pthread_getname_np(pthread_self(), buffer, capacity);
}

/* ---- Clocks ---- */

int64_t cposix_monotonic_nanoseconds(void) { return nanoseconds_of(CLOCK_MONOTONIC); }
int64_t cposix_wall_milliseconds(void) { return nanoseconds_of(CLOCK_REALTIME) / 1000000; }
int64_t cposix_process_cpu_nanoseconds(void) { return nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID); }
int64_t cposix_thread_cpu_nanoseconds(void) { return nanoseconds_of(CLOCK_THREAD_CPUTIME_ID); }

/* ---- Events ---- */

int32_t cposix_event_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void cposix_event_signal(int32_t descriptor) {
    uint64_t one = 1;
    ssize_t written;
    /* EAGAIN means that the counter is full: the event is signalled all the same. */
    do {
        written = write(descriptor, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
}

uint64_t cposix_event_drain(int32_t descriptor) {
    uint64_t count = 0;
    ssize_t got;
    do {
        got = read(descriptor, &count, sizeof count);
    } while (got < 0 && errno == EINTR);
    return got == sizeof count ? count : 0;
}

/* ---- Signals ---- */

static void stop_signals(sigset_t *set, bool hangup_too) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    if (hangup_too) sigaddset(set, SIGHUP);
}

void cposix_stop_signals_block(bool hangup_too) {
    sigset_t set;
    stop_signals(&set, hangup_too);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int32_t cposix_stop_signals_wait(int64_t timeout_milliseconds, bool hangup_too) {
    sigset_t set;
    stop_signals(&set, hangup_too);
    int64_t end = timeout_milliseconds < 0 ? 0 : cposix_monotonic_nanoseconds() + timeout_milliseconds * 1000000;
    for (;;) {
        int number;
        if (timeout_milliseconds < 0) {
            number = sigwaitinfo(&set, NULL);
        } else {
            int64_t left = end - cposix_monotonic_nanoseconds();
            if (left < 0) left = 0;
            struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
            number = sigtimedwait(&set, NULL, &time);
        }
        if (number > 0) return number;
        /* A stopped and continued process sees EINTR here. */
        if (errno != EINTR) return 0;
    }
}

/* ---- Processes ---- */

void cposix_limit_arenas(int32_t count) { mallopt(M_ARENA_MAX, count); }

int32_t cposix_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        int count = CPU_COUNT(&set);
        if (count > 0) return count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int32_t)online : 1;
}

char **cposix_environment(void) {
    static char *none[1];
    return environ ? environ : none;
}

int32_t cposix_account_named(const char *name, cposix_account *account) {
    struct passwd entry, *found = NULL;
    char buffer[16384];
    int failed = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (failed || !found) {
        errno = failed;
        return -1;
    }
    account->user = entry.pw_uid;
    account->group = entry.pw_gid;
    return 0;
}

int32_t cposix_random(void *buffer, size_t count) {
    unsigned char *next = buffer;
    while (count > 0) {
        ssize_t got = getrandom(next, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        next += got;
        count -= (size_t)got;
    }
    return 0;
}
