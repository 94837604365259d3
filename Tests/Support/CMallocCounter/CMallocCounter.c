#include "CMallocCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static _Thread_local bool thread_counts;
static _Thread_local malloc_count thread_count;
static atomic_bool process_counts;
static atomic_uint_fast64_t process_allocations;
static atomic_uint_fast64_t process_bytes;

#if defined(__GLIBC__) && !defined(SANITIZED)
#define COUNTS 1

static void note(size_t bytes) {
    if (thread_counts) {
        thread_count.allocations += 1;
        thread_count.bytes += bytes;
    }
    if (atomic_load_explicit(&process_counts, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&process_allocations, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&process_bytes, bytes, memory_order_relaxed);
    }
}

/* glibc's own entry points; free() stays glibc's, since these hand out its memory. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note(count * size);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    note(size);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) { return EINVAL; }
    note(size);
    void *found = __libc_memalign(alignment, size);
    if (found == NULL) { return ENOMEM; }
    *memory = found;
    return 0;
}
#else
#define COUNTS 0
#endif

bool malloc_counter_available(void) { return COUNTS; }

void malloc_counter_begin(void) {
    thread_count = (malloc_count){0, 0};
    thread_counts = true;
}

malloc_count malloc_counter_end(void) {
    thread_counts = false;
    return thread_count;
}

void malloc_counter_begin_process(void) {
    atomic_store(&process_allocations, 0);
    atomic_store(&process_bytes, 0);
    atomic_store(&process_counts, true);
}

malloc_count malloc_counter_end_process(void) {
    atomic_store(&process_counts, false);
    return (malloc_count){atomic_load(&process_allocations), atomic_load(&process_bytes)};
}
