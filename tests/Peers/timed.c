/* Runs a program to its end and writes what it and all its descendants took: "WALL CPU" in ns, into FILE (/dev/stderr by hand).
   Usage: timed FILE PROGRAM [ARGUMENT...]. Its exit code is the program's, 127 where that cannot be run, 128 + N where signal N ended it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t of(struct timeval t) { return t.tv_sec * INT64_C(1000000000) + t.tv_usec * INT64_C(1000); }

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: timed FILE PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    /* What a program leaves behind (an engine it did not wait for) comes to us and is waited for: its time counts, too. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int64_t start = now(), wall = 0;
    pid_t child = fork();
    if (child < 0) {
        perror("timed: fork");
        return 127;
    }
    if (child == 0) {
        execvp(arguments[2], arguments + 2);
        fprintf(stderr, "timed: %s: %s\n", arguments[2], strerror(errno));
        _exit(127);
    }
    int code = 0, status = 0;
    for (pid_t ended; (ended = waitpid(-1, &status, 0)) > 0 || errno == EINTR;) {
        if (ended != child) continue;
        wall = now() - start;
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    FILE *file = fopen(arguments[1], "w");
    if (!file || fprintf(file, "%lld %lld\n", (long long)wall, (long long)(of(usage.ru_utime) + of(usage.ru_stime))) < 0 || fclose(file) != 0) {
        fprintf(stderr, "timed: %s: %s\n", arguments[1], strerror(errno));
        return 127;
    }
    return code;
}
