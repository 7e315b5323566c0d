/* Loading libraries that bring a runtime of their own: what such a runtime takes for itself is given back to whoever had it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>

static struct sigaction kept[NSIG];
static unsigned char known[NSIG];

/* Remembers every handler there is. [steward] */
void ssp_signals_keep(void)
{
    for (int n = 1; n < NSIG; n++) known[n] = n != SIGKILL && n != SIGSTOP && sigaction(n, NULL, &kept[n]) == 0;
}

/* Puts back what has changed since: faults on RT threads are the engine's to hold, SIGTERM its to end on. But for SIGRTMIN, by which runtimes
   stop their threads: a newer runtime passes on what is not its own, and the engine's own never stops one after start. */
void ssp_signals_restore(void)
{
    for (int n = 1; n < NSIG; n++) {
        struct sigaction now;
        if (!known[n] || n == SIGRTMIN || sigaction(n, NULL, &now) != 0) continue;
        if (now.sa_sigaction != kept[n].sa_sigaction || now.sa_flags != kept[n].sa_flags) sigaction(n, &kept[n], NULL);
    }
}

/* The calling thread calls into another runtime for the first time. Its stack for signal handlers stays the one it has: the runtime would give
   it one of its own, which is not locked. */
void ssp_attach(uint64_t function)
{
    stack_t own;
    sigaltstack(NULL, &own);
    ((void (*)(void))(uintptr_t)function)();
    sigaltstack(&own, NULL);
}
