#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_GROUPS 256

struct failure {
    int32_t code;
    int32_t stage;
};

static _Noreturn void fail(int report, int32_t stage) {
    struct failure failure = {errno, stage};
    ssize_t written;
    do {
        written = write(report, &failure, sizeof failure);
    } while (written < 0 && errno == EINTR);
    _exit(127);
}

static int move_descriptors(const int32_t wanted[3]) {
    /* Copies above 2 first: a wanted descriptor may itself be 0, 1 or 2. */
    int copies[3];
    for (int i = 0; i < 3; i++) {
        copies[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, 3);
        if (wanted[i] >= 0 && copies[i] < 0) return -1;
    }
    for (int i = 0; i < 3; i++)
        if (copies[i] >= 0 && dup2(copies[i], i) < 0) return -1;
    return 0;
}

static void close_on_exec_above_2(void) {
#ifdef CLOSE_RANGE_CLOEXEC
    if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = 3; descriptor < limit; descriptor++) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/* Between fork and exec in a process with threads: async-signal-safe calls only. */
static _Noreturn void run_child(const cposix_spawn_request *request, const gid_t *groups, int group_count,
                                pid_t parent, int report) {
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &by_default, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (request->own_process_group) setpgid(0, 0);
    if (request->switch_account) {
        if (setgroups((size_t)group_count, groups) != 0 || setgid(request->account.group) != 0 ||
            setuid(request->account.user) != 0)
            fail(report, CPOSIX_STAGE_ACCOUNT);
    }
    if (request->dies_with_parent) {
        /* After setuid, which clears it; and the parent may be gone already. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
    }
    if (request->working_directory && chdir(request->working_directory) != 0) fail(report, CPOSIX_STAGE_DIRECTORY);
    if (move_descriptors(request->descriptors) != 0) fail(report, CPOSIX_STAGE_DESCRIPTORS);
    close_on_exec_above_2();
    execve(request->executable, request->arguments, request->environment);
    fail(report, CPOSIX_STAGE_EXECUTE);
}

static void reap_quietly(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

int32_t cposix_spawn(const cposix_spawn_request *request, int32_t *stage) {
    *stage = CPOSIX_STAGE_FORK;
    gid_t groups[MOST_GROUPS] = {request->account.group};
    int group_count = 1;
    if (request->switch_account && request->account_name) {
        /* Read here: it opens files and allocates, which a child of a threaded process must not. */
        group_count = MOST_GROUPS;
        if (getgrouplist(request->account_name, request->account.group, groups, &group_count) < 0)
            group_count = MOST_GROUPS;
    }
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    /* A report descriptor of 0 to 2 would be overwritten by the child's own. */
    int writer = fcntl(report[1], F_DUPFD_CLOEXEC, 3);
    int saved = errno;
    close(report[1]);
    if (writer < 0) {
        close(report[0]);
        errno = saved;
        return -1;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) run_child(request, groups, group_count, parent, writer);
    saved = errno;
    close(writer);
    if (pid < 0) {
        close(report[0]);
        errno = saved;
        return -1;
    }
    struct failure failure;
    ssize_t got;
    do {
        got = read(report[0], &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof failure) {
        reap_quietly(pid);
        *stage = failure.stage;
        errno = failure.code;
        return -1;
    }
    return pid;
}

int32_t cposix_child_wait(int32_t pid) {
    siginfo_t info;
    int failed;
    do {
        failed = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    } while (failed != 0 && errno == EINTR);
    return failed;
}

int32_t cposix_child_reap(int32_t pid, int32_t *exit_code, int32_t *signal_number) {
    int status;
    pid_t got;
    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -1;
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 0;
}

int32_t cposix_kill(int32_t pid, int32_t signal_number) { return kill(pid, signal_number); }
