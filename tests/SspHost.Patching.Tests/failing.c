/* A disk that fails: preloaded into the child that edits, it lets writes, fsyncs and renames within one folder fail at random, tears writes, and
   counts bytes as a disk that fills up would. SSP_FAIL_DIR: the folder; SSP_FAIL_SEED; SSP_FAIL_PERMILLE: how many calls of a thousand fail;
   SSP_FAIL_ROOM: a file whose size in bytes is the room on the disk, absent: without end. SSP_FAIL_PLUG: a folder that gets what a disk has after the
   plug was pulled: of each file what it was at its last fsync, under the number of its inode, and in "names" the folder as it was at its own. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
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

/* The runtime asks the C library's own handle for functions that managed code calls, and would pass us by: it gets ours. */
static void *(*real_dlsym)(void *, const char *);

static void *next(const char *name)
{
    const char *versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
    for (size_t i = 0; !real_dlsym && i < sizeof versions / sizeof *versions; i++)
        real_dlsym = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    return real_dlsym(RTLD_NEXT, name);
}

int fsync(int fd);

void *dlsym(void *restrict handle, const char *restrict name)
{
    if (strcmp(name, "fsync") == 0) return (void *)fsync;
    if (!real_dlsym) (void)next("fsync");
    return real_dlsym(handle, name);
}

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
    if (!real) real = (ssize_t(*)(int, const void *, size_t, off_t))next("pwrite");
    return torn_pwrite(real, fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t, off_t))next("pwrite64");
    return torn_pwrite(real, fd, bytes, count, at);
}

/* What a kill interrupts is not there: everything is written beside and renamed. */
static void keep_file(int fd, const char *plug, ino_t number)
{
    char from[64], part[PATH_MAX], to[PATH_MAX], bytes[8192];
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(part, sizeof part, "%s/part", plug);
    snprintf(to, sizeof to, "%s/%llu", plug, (unsigned long long)number);
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n;
    while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)n) != n) abort();
    close(in);
    close(out);
    if (rename(part, to) != 0) abort();
}

static void keep_names(int fd, const char *plug)
{
    char from[64], part[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(part, sizeof part, "%s/part", plug);
    snprintf(to, sizeof to, "%s/names", plug);
    DIR *folder = opendir(from);
    FILE *out = fopen(part, "we");
    struct dirent *entry;
    while (folder && out && (entry = readdir(folder)))
        if (entry->d_type == DT_REG) fprintf(out, "%llu %s\n", (unsigned long long)entry->d_ino, entry->d_name);
    if (folder) closedir(folder);
    if (out) fclose(out);
    if (rename(part, to) != 0) abort();
}

static void keep(int fd)
{
    struct stat file;
    const char *plug = getenv("SSP_FAIL_PLUG");
    if (!plug || fstat(fd, &file) != 0) return;
    pthread_mutex_lock(&lock);
    if (S_ISREG(file.st_mode)) keep_file(fd, plug, file.st_ino);
    if (S_ISDIR(file.st_mode)) keep_names(fd, plug);
    pthread_mutex_unlock(&lock);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) real = (int (*)(int))next("fsync");
    if (!is_ours(fd)) return real(fd);
    if (fails()) return -1;
    keep(fd);
    return real(fd);
}

int rename(const char *from, const char *to)
{
    static int (*real)(const char *, const char *);
    if (!real) real = (int (*)(const char *, const char *))next("rename");
    return inside(to) && fails() ? -1 : real(from, to);
}

int ftruncate64(int fd, off_t length)
{
    static int (*real)(int, off_t);
    if (!real) real = (int (*)(int, off_t))next("ftruncate64");
    return is_ours(fd) && fails() ? -1 : real(fd, length);
}

int ftruncate(int fd, off_t length)
{
    static int (*real)(int, off_t);
    if (!real) real = (int (*)(int, off_t))next("ftruncate");
    return is_ours(fd) && fails() ? -1 : real(fd, length);
}
