/* Which thread is guarded, and when: the section around an RT thread's function. */
#define _GNU_SOURCE
#include "guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__thread struct guard_thread guard_self;
__thread int ssp_guard_armed;
struct guard_names guard_names;
int guard_warns;

/* A call of the malloc family: see libssphost_heap.so, which calls this on RT threads before it does anything. */
static void on_heap(const char *function)
{
    if (!ssp_guard_armed) return;
    guard_violation("native allocation", function, (struct guard_site) { (uintptr_t)__builtin_return_address(0), 0 });
}

/* From the thunks in wraps.S. */
void ssp_guard_managed(const char *helper, uintptr_t caller)
{
    int throws = strncmp(helper, "RhpThrow", 8) == 0 || strncmp(helper, "RhpRethrow", 10) == 0;
    int collects = strcmp(helper, "RhpCollect") == 0;
    guard_violation(throws ? "exception" : collects ? "garbage collection" : "managed allocation", helper, (struct guard_site) { caller, 0 });
}

void guard_rearm(void)
{
    ssp_guard_armed = guard_self.section && !guard_self.permits && !guard_self.reporting;
}

int guard_module(void)
{
    const struct fault_cell *cell = guard_self.cell;
    if (!cell) return -1;
    if (cell->ghost) return -2;
    return cell->current ? *cell->current - 1 : -1;
}

/* Before the first RT thread, on an ordinary one. 0, or -errno where system calls will not be trapped. [start-up] */
int32_t ssp_guard_install(const struct guard_names *names)
{
    static int done;
    guard_names = *names;
    if (done) return 0;
    done = 1;
    const char *mode = getenv("SSP_CHECKED");
    guard_warns = mode && strcmp(mode, "warn") == 0;
    if (mode && *mode && !guard_warns && strcmp(mode, "abort") != 0)
        fprintf(stderr, "ssp-engine: SSP_CHECKED=%s: expected 'abort' (the default) or 'warn'\n", mode);

    void *prime[8];
    (void)backtrace(prime, 8); /* the first call loads the unwinder */
    guard_symbols_open();
    void (*set_trap)(void (*)(const char *)) = (void (*)(void (*)(const char *)))dlsym(RTLD_DEFAULT, "ssp_heap_set_trap");
    if (set_trap) set_trap(on_heap);
    else fprintf(stderr, "ssp-engine: checked build without libssphost_heap.so: native allocations are not checked\n");
    return -guard_handle_system_calls();
}

/* The calling RT thread begins its function. The cell is the one faults.c was given; its current tells whether a module runs. */
void ssp_guard_enter(const struct fault_cell *cell)
{
    static int refused;
    guard_self.cell = cell;
    if (!guard_self.filtered) {
        int error = guard_trap_system_calls();
        guard_self.filtered = 1;
        if (error && !__atomic_exchange_n(&refused, 1, __ATOMIC_RELAXED))
            fprintf(stderr, "ssp-engine: the kernel refuses seccomp (%s): system calls of RT threads are not checked\n", strerror(error));
    }
    guard_self.section++;
    guard_rearm();
}

/* Its function has returned: parking and leaving are the thread's own business. */
void ssp_guard_leave(void)
{
    guard_self.section--;
    guard_rearm();
}

/* What a thread does from here to the end of the permit is no violation. Each use says why. */
void ssp_guard_permit(void)
{
    guard_self.permits++;
    guard_rearm();
}

void ssp_guard_end_permit(void)
{
    guard_self.permits--;
    guard_rearm();
}
