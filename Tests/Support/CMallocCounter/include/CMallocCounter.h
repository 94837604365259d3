/* Counts heap allocations of one thread, or of all, for tests that promise "no allocation".
 *
 * Linked into a test program it takes malloc's place for the whole of it, C libraries included, and hands every call
 * on to glibc. In sanitizer builds, which have a malloc of their own, it is left out and says so. */
#ifndef VITALSTREAM_CMALLOCCOUNTER_H
#define VITALSTREAM_CMALLOCCOUNTER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct malloc_count {
    uint64_t allocations; /* malloc, calloc, realloc (a growing one too), aligned ones */
    uint64_t bytes;       /* asked for */
} malloc_count;

/* False in sanitizer builds and outside glibc: counts are 0 there and prove nothing. */
bool malloc_counter_available(void);

/* Counts what the calling thread allocates from here to malloc_counter_end. Not to be nested. */
void malloc_counter_begin(void);
malloc_count malloc_counter_end(void);

/* The same for all threads together; for work that runs on a thread of its own. One user at a time. */
void malloc_counter_begin_process(void);
malloc_count malloc_counter_end_process(void);

#endif
