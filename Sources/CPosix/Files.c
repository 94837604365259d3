#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void cposix_flush_output(void) { fflush(stdout); }

int32_t cposix_pipe(int32_t ends[2]) { return pipe2(ends, O_CLOEXEC); }

int32_t cposix_set_nonblocking(int32_t descriptor, bool enabled) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -1;
    flags = enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(descriptor, F_SETFL, flags);
}

int32_t cposix_open(const char *path, int32_t manner, uint32_t mode) {
    int flags;
    switch (manner) {
    case CPOSIX_OPEN_READ: flags = O_RDONLY; break;
    case CPOSIX_OPEN_TRUNCATE: flags = O_WRONLY | O_CREAT | O_TRUNC; break;
    case CPOSIX_OPEN_APPEND: flags = O_WRONLY | O_CREAT | O_APPEND; break;
    case CPOSIX_OPEN_EXCLUSIVE: flags = O_WRONLY | O_CREAT | O_EXCL; break;
    default: errno = EINVAL; return -1;
    }
    int descriptor;
    do {
        descriptor = open(path, flags | O_CLOEXEC, (mode_t)mode);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

int32_t cposix_status(const char *path, int64_t *size, int32_t *kind) {
    struct stat status;
    if (stat(path, &status) != 0) return -1;
    *size = status.st_size;
    *kind = S_ISREG(status.st_mode) ? 1 : S_ISDIR(status.st_mode) ? 2 : 3;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    /* Someone else may remove the same file, as a server that is just ending does. */
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

int32_t cposix_remove_tree(const char *path) { return nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS); }

/* nftw passes no context: the account of the walk in progress on this thread. */
static _Thread_local cposix_account walk_account;

static int own_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return lchown(path, walk_account.user, walk_account.group);
}

int32_t cposix_change_owner_tree(const char *path, cposix_account account) {
    walk_account = account;
    return nftw(path, own_entry, 32, FTW_PHYS);
}

#ifndef VITALSTREAM_COMMIT
#define VITALSTREAM_COMMIT "unknown"
#endif

const char *cposix_build_commit(void) { return VITALSTREAM_COMMIT; }
