// Plays a module that ILC compiled, without the .NET runtime: reads a score, writes what sounded; or keeps the arena as an image, so that a
// counted run begins where the instance was made and executes nothing but process.
//   kernels play SCORE OUT      makes the instance, plays all quanta, writes every quantum's output
//   kernels save SCORE IMAGE N  makes the instance, plays N quanta, writes the arena
//   kernels count IMAGE N       reads the arena, plays N quanta
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// As Score.cs has it: the fields before the arrays are all that is needed here.
struct score { int32_t module, quantum, quanta, inputs, outputs; };

int32_t ssp_kernel_prepare(void *stage, const struct score *score, int64_t arena_bytes);
int32_t ssp_kernel_play(void *stage, int32_t quanta);
float *ssp_kernel_output(void *stage);

// The runtime's part of a call from C and into C (memset): there is no collector to tell, and none that asks for a stop.
void RhpReversePInvoke(void *frame) { (void)frame; }
void RhpReversePInvokeReturn(void *frame) { (void)frame; }
void RhpPInvoke(void *frame) { (void)frame; }
void RhpPInvokeReturn(void *frame) { (void)frame; }
int32_t RhpTrapThreads;
uint64_t __security_cookie = 0x5353;

enum { CHANNELS = 16 };
#define ARENA_ADDRESS ((void *)0x1000000000)
#define ARENA_BYTES (512l << 20)

static void die(const char *what, const char *which)
{
    fprintf(stderr, "kernels: %s %s\n", what, which);
    exit(2);
}

static void *arena(void)
{
    void *at = mmap(ARENA_ADDRESS, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != ARENA_ADDRESS) die("no memory at the arena's address", "");
#ifdef __aarch64__
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1u << 24)); // FZ, as on every RT thread
#endif
    return at;
}

static struct score *read_score(const char *path)
{
    static _Alignas(64) char bytes[4096];
    int file = open(path, O_RDONLY);
    if (file < 0 || read(file, bytes, sizeof bytes) < (ssize_t)sizeof(struct score)) die("cannot read the score", path);
    close(file);
    return (struct score *)bytes;
}

// An image holds only pages that were written: pairs of page number and page.
static void save(const char *path, const char *at)
{
    static const char zeros[4096];
    FILE *file = fopen(path, "wb");
    if (!file) die("cannot write", path);
    for (int64_t page = 0; page < ARENA_BYTES / 4096; page++) {
        unsigned char resident = 0;
        if (mincore((void *)(at + page * 4096), 4096, &resident) == 0 && !(resident & 1)) continue;
        if (memcmp(at + page * 4096, zeros, 4096) == 0) continue;
        fwrite(&page, sizeof page, 1, file);
        fwrite(at + page * 4096, 4096, 1, file);
    }
    if (fclose(file)) die("cannot write", path);
}

static void load(const char *path, char *at)
{
    int file = open(path, O_RDONLY);
    int64_t page;
    if (file < 0) die("cannot read the image", path);
    while (read(file, &page, sizeof page) == sizeof page)
        if (read(file, at + page * 4096, 4096) != 4096) die("the image ends within a page:", path);
    close(file);
}

int main(int count, char **words)
{
    if (count >= 4 && !strcmp(words[1], "count")) {
        char *at = arena();
        load(words[2], at);
        return ssp_kernel_play(at, atoi(words[3]));
    }
    if (count < 4) die("usage: kernels play SCORE OUT | save SCORE IMAGE N | count IMAGE N", "");
    struct score *score = read_score(words[2]);
    char *at = arena();
    if (ssp_kernel_prepare(at, score, ARENA_BYTES)) die("the module was not made; score", words[2]);
    if (!strcmp(words[1], "save") && count >= 5) {
        if (ssp_kernel_play(at, atoi(words[4]))) die("fewer quanta in the score", words[2]);
        save(words[3], at);
        return 0;
    }
    FILE *out = fopen(words[3], "wb");
    if (!out) die("cannot write", words[3]);
    for (int q = 0; q < score->quanta; q++) {
        if (ssp_kernel_play(at, 1)) die("fewer quanta in the score", words[2]);
        fwrite(ssp_kernel_output(at), sizeof(float), (size_t)score->outputs * CHANNELS * score->quantum, out);
    }
    return fclose(out) ? 2 : 0;
}
