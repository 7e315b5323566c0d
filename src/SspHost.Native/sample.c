/* Where a late thread is: its own signal handler walks its own stack into a place prepared for it, and takes nothing but time. */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { frames = 24, idle = 0, asked = 1, walking = 2, done = 3 };

/* The same as SampleCell in the engine. */
struct sample_cell {
    volatile uint32_t state; /* the watchdog asks and takes, the handler walks */
    volatile uint32_t ran;   /* signals that have arrived */
    volatile int32_t count;
    volatile int32_t complete; /* 1: the walk ends where the thread began */
    uint64_t low, high;        /* the thread's stack */
    uint64_t entry, entry_end; /* the function every walk should end in */
    uint64_t pc[frames];
};

/* initial-exec: reading it in a handler must not allocate. */
static __thread struct sample_cell *own_cell __attribute__((tls_model("initial-exec")));
static __thread sigjmp_buf way_out __attribute__((tls_model("initial-exec")));
static __thread volatile sig_atomic_t in_walk __attribute__((tls_model("initial-exec")));

/* A walk through frames that are being built or taken down may read what is no address: then it ends where it is. */
void ssp_sample_escape(void)
{
    if (in_walk) siglongjmp(way_out, 1);
}

static int reaches(const struct sample_cell *cell, void *const *pc, int count)
{
    for (int i = count - 1; i > 0; i--)
        if ((uint64_t)(uintptr_t)pc[i] >= cell->entry && (uint64_t)(uintptr_t)pc[i] < cell->entry_end) return 1;
    return 0;
}

/* By frame pointers, within the thread's own stack and always upwards. */
static int walk_frames(const struct sample_cell *cell, uint64_t pc, uint64_t link, uint64_t frame, void **into)
{
    int count = 0;
    into[count++] = (void *)(uintptr_t)pc;
    if (link) into[count++] = (void *)(uintptr_t)link;
    while (count < frames && frame >= cell->low && frame + 16 <= cell->high && (frame & 7) == 0) {
        const uint64_t *at = (const uint64_t *)(uintptr_t)frame;
        if (at[1] == 0) break;
        /* A leaf's link register and its caller's record may be the same return address. */
        if (!(count == 2 && link == at[1])) into[count++] = (void *)(uintptr_t)at[1];
        if (at[0] <= frame) break;
        frame = at[0];
    }
    return count;
}

/* By the tables of the image. The handler's own frames lie before the one that was interrupted and are left out. */
static __attribute__((noinline)) int walk_tables(uint64_t pc, void **into)
{
    void *found[frames + 8];
    if (sigsetjmp(way_out, 0) != 0) {
        in_walk = 0;
        return 0;
    }
    in_walk = 1;
    int count = backtrace(found, frames + 8);
    in_walk = 0;
    int first = 0;
    while (first < count && (uint64_t)(uintptr_t)found[first] != pc) first++;
    count = count - first > frames ? frames : count - first;
    memcpy(into, found + first, (size_t)count * sizeof *found);
    return count;
}

static void on_sample(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    struct sample_cell *cell = own_cell;
    if (!cell) return;
    int kept = errno;
    uint32_t expected = asked;
    if (__atomic_compare_exchange_n(&cell->state, &expected, walking, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        const ucontext_t *at = context;
#if defined(__x86_64__)
        uint64_t pc = (uint64_t)at->uc_mcontext.gregs[REG_RIP], link = 0, frame = (uint64_t)at->uc_mcontext.gregs[REG_RBP];
#else
        uint64_t pc = at->uc_mcontext.pc, link = at->uc_mcontext.regs[30], frame = at->uc_mcontext.regs[29];
#endif
        void *by_tables[frames], *by_frames[frames];
        int count = walk_tables(pc, by_tables);
        void *const *best = by_tables;
        if (!reaches(cell, by_tables, count)) {
            int other = walk_frames(cell, pc, link, frame, by_frames);
            if (other > count || reaches(cell, by_frames, other)) {
                best = by_frames;
                count = other;
            }
        }
        for (int i = 0; i < count; i++) cell->pc[i] = (uint64_t)(uintptr_t)best[i];
        cell->count = count;
        cell->complete = reaches(cell, best, count);
        __atomic_store_n(&cell->state, done, __ATOMIC_RELEASE);
    }
    __atomic_add_fetch(&cell->ran, 1, __ATOMIC_RELEASE);
    errno = kept;
}

/* Not SIGRTMIN, which is the runtime's. */
static int sample_signal(void)
{
    return SIGRTMIN + 8;
}

/* Installs the handler on the first call; 0 or an errno. backtrace loads a library at its first call: that is made here. */
int32_t ssp_sample_install(void)
{
    static int installed;
    void *any[4];
    if (installed) return 0;
    if (backtrace(any, 4) < 0) return ENOSYS;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_sample;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(sample_signal(), &action, NULL) != 0) return errno;
    installed = 1;
    return 0;
}

/* The calling thread can be sampled from now on; NULL: no longer. */
void ssp_sample_watch(struct sample_cell *cell)
{
    own_cell = cell;
}

/* Makes a thread of this process walk its stack; 0 or an errno. */
int32_t ssp_sample_poke(int32_t tid)
{
    return syscall(SYS_tgkill, getpid(), tid, sample_signal()) == 0 ? 0 : errno;
}
