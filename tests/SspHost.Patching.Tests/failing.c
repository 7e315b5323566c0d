/* A disk that fails: preloaded into the child that edits, it lets writes, fsyncs and renames within one folder fail at random, tears writes, and
   counts bytes as a disk that fills up would. SSP_FAIL_DIR: the folder; SSP_FAIL_SEED; SSP_FAIL_PERMILLE: how many calls of a thousand fail;
   SSP_FAIL_ROOM: a file whose size in bytes is the room on the disk, absent: without end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t state;

static int inside(const char *path)
{
    const char *folder = getenv("SSP_FAIL_DIR");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return inside(path);
}

/* xorshift64 (Marsaglia 2003) */
static uint64_t draw(void)
{
    pthread_mutex_lock(&lock);
    if (!state) state = strtoull(getenv("SSP_FAIL_SEED") ? getenv("SSP_FAIL_SEED") : "1", 0, 10) * 0x9E3779B97F4A7C15u | 1;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    uint64_t drawn = state >> 11;
    pthread_mutex_unlock(&lock);
    return drawn;
}

static int fails(void)
{
    const char *permille = getenv("SSP_FAIL_PERMILLE");
    if (!permille || draw() % 1000 >= strtoull(permille, 0, 10)) return 0;
    errno = draw() % 2 ? EIO : ENOSPC;
    return 1;
}

static int64_t room(void)
{
    struct stat file;
    const char *path = getenv("SSP_FAIL_ROOM");
    return path && stat(path, &file) == 0 ? file.st_size : INT64_MAX;
}

static ssize_t torn_pwrite(ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *bytes, size_t count, off_t at)
{
    if (!is_ours(fd)) return real(fd, bytes, count, at);
    if (fails()) {
        int error = errno;
        if (count > 1 && draw() % 2) (void)real(fd, bytes, draw() % count, at); /* some of it was written all the same */
        errno = error;
        return -1;
    }

    int64_t left = room() - (int64_t)at;
    if (left <= 0) {
        errno = ENOSPC;
        return -1;
    }

    if ((int64_t)count > left) count = (size_t)left;
    if (count > 1 && getenv("SSP_FAIL_PERMILLE") && draw() % 4 == 0) count = 1 + draw() % (count - 1); /* a short write is none that failed */
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    return torn_pwrite(real, fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
    return torn_pwrite(real, fd, bytes, count, at);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return is_ours(fd) && fails() ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    static int (*real)(const char *, const char *);
    if (!real) real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    return inside(to) && fails() ? -1 : real(from, to);
}

int ftruncate64(int fd, off_t length)
{
    static int (*real)(int, off_t);
    if (!real) real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate64");
    return is_ours(fd) && fails() ? -1 : real(fd, length);
}

int ftruncate(int fd, off_t length)
{
    static int (*real)(int, off_t);
    if (!real) real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
    return is_ours(fd) && fails() ? -1 : real(fd, length);
}
