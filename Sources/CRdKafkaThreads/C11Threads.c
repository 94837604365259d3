// C11 threads over pthreads, in ThreadSanitizer builds alone; in every other build this file is empty.
//
// librdkafka (2.0.2 of Debian 12) uses glibc's <threads.h>. ThreadSanitizer intercepts pthread_* but not thrd_*, mtx_*
// and cnd_*: a thread made by thrd_create has no state of its own in the sanitizer, and the first intercepted call on
// it crashes the process. Symbols of the program go before those of glibc, so librdkafka finds these instead.
//
// glibc's own types are used: mtx_t and cnd_t have the size and alignment of pthread_mutex_t and pthread_cond_t, thrd_t
// and tss_t are pthread_t and pthread_key_t (glibc, sysdeps/nptl/threads.h and nptl/thrd_priv.h), checked below.

#include "CRdKafkaThreads.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t cannot hold a pthread mutex");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t cannot hold a pthread condition");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t is not pthread_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag is not pthread_once_t");
_Static_assert(sizeof(tss_t) == sizeof(pthread_key_t), "tss_t is not pthread_key_t");

static int result_of(int error) {
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
    case EAGAIN:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    default:
        return thrd_error;
    }
}

static pthread_mutex_t *mutex_of(mtx_t *mutex) { return (pthread_mutex_t *)mutex; }
static pthread_cond_t *condition_of(cnd_t *condition) { return (pthread_cond_t *)condition; }

// pthreads start a function that returns a pointer, C11 one that returns an int.
struct start {
    thrd_start_t function;
    void *argument;
};

static void *run(void *pointer) {
    struct start start = *(struct start *)pointer;
    free(pointer);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL)
        return thrd_nomem;
    start->function = function;
    start->argument = argument;
    int error = pthread_create((pthread_t *)thread, NULL, run, start);
    if (error != 0)
        free(start);
    return result_of(error);
}

int thrd_join(thrd_t thread, int *result) {
    void *value = NULL;
    int error = pthread_join((pthread_t)thread, &value);
    if (error == 0 && result != NULL)
        *result = (int)(intptr_t)value;
    return result_of(error);
}

thrd_t thrd_current(void) { return (thrd_t)pthread_self(); }
int thrd_detach(thrd_t thread) { return result_of(pthread_detach((pthread_t)thread)); }
void thrd_exit(int result) { pthread_exit((void *)(intptr_t)result); }

int mtx_init(mtx_t *mutex, int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, (type & mtx_recursive) ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int error = pthread_mutex_init(mutex_of(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result_of(error);
}

void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy(mutex_of(mutex)); }
int mtx_lock(mtx_t *mutex) { return result_of(pthread_mutex_lock(mutex_of(mutex))); }
int mtx_trylock(mtx_t *mutex) { return result_of(pthread_mutex_trylock(mutex_of(mutex))); }
int mtx_unlock(mtx_t *mutex) { return result_of(pthread_mutex_unlock(mutex_of(mutex))); }

int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict deadline) {
    return result_of(pthread_mutex_timedlock(mutex_of(mutex), deadline));
}

int cnd_init(cnd_t *condition) { return result_of(pthread_cond_init(condition_of(condition), NULL)); }
void cnd_destroy(cnd_t *condition) { pthread_cond_destroy(condition_of(condition)); }
int cnd_signal(cnd_t *condition) { return result_of(pthread_cond_signal(condition_of(condition))); }
int cnd_broadcast(cnd_t *condition) { return result_of(pthread_cond_broadcast(condition_of(condition))); }

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return result_of(pthread_cond_wait(condition_of(condition), mutex_of(mutex)));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict deadline) {
    return result_of(pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), deadline));
}

int tss_create(tss_t *key, tss_dtor_t destructor) {
    return result_of(pthread_key_create((pthread_key_t *)key, destructor));
}

void tss_delete(tss_t key) { pthread_key_delete((pthread_key_t)key); }
void *tss_get(tss_t key) { return pthread_getspecific((pthread_key_t)key); }
int tss_set(tss_t key, void *value) { return result_of(pthread_setspecific((pthread_key_t)key, value)); }
void call_once(once_flag *flag, void (*function)(void)) { pthread_once((pthread_once_t *)flag, function); }

#endif
#endif
