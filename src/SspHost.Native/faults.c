/* Faults of modules on RT threads: the thread is held in the handler, and everything else goes to whoever was asked before. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The same as FaultCell in the engine. */
struct fault_cell {
    volatile int32_t *current; /* not 0 there: inside a module */
    volatile int32_t ghost;    /* replaced, and still inside one */
    volatile int32_t signal;
    volatile uint64_t address;
};

/* initial-exec: reading it in a handler must not allocate. */
static __thread struct fault_cell *own_cell __attribute__((tls_model("initial-exec")));
static __thread stack_t former_stack __attribute__((tls_model("initial-exec")));

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
static struct sigaction former[NSIG];

static void pass_on(int number, siginfo_t *info, void *context)
{
    const struct sigaction *next = &former[number];
    if (next->sa_flags & SA_SIGINFO) {
        next->sa_sigaction(number, info, context);
        return;
    }
    if (next->sa_handler == SIG_IGN) return;
    if (next->sa_handler != SIG_DFL) {
        next->sa_handler(number);
        return;
    }
    signal(number, SIG_DFL); /* a fault meets it again at once; one that was sent has to be sent again */
    if (info->si_code <= 0) raise(number);
}

/* Of sample.c: a fault of a stack walk ends the walk and nothing else. */
void ssp_sample_escape(void);

static void on_fault(int number, siginfo_t *info, void *context)
{
    if (number == SIGSEGV || number == SIGBUS) ssp_sample_escape();
    struct fault_cell *cell = own_cell;
    /* si_code <= 0: sent by somebody, no fault of what runs here; but an abort is what a thread sends itself. */
    int own = number == SIGABRT ? info->si_pid == getpid() : info->si_code > 0;
    if (!own || !cell || !(cell->ghost || (cell->current && *cell->current))) {
        pass_on(number, info, context);
        return;
    }
    cell->address = (uint64_t)(uintptr_t)info->si_addr;
    __atomic_store_n(&cell->signal, number, __ATOMIC_RELEASE);
    for (;;) pause();
}

/* Installs the handlers on the first call; 0 or an errno. After the runtime has installed its own. */
int32_t ssp_faults_install(void)
{
    static int installed;
    if (installed) return 0;
    installed = 1;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (sigaction(faults[i], &action, &former[faults[i]]) != 0) return errno;
    return 0;
}

/* The calling thread has a cell and a stack for its handlers from now on. */
void ssp_faults_watch(struct fault_cell *cell, void *stack, size_t bytes)
{
    stack_t own = { .ss_sp = stack, .ss_size = bytes };
    sigaltstack(&own, &former_stack);
    own_cell = cell;
}

/* Before it ends: the runtime frees the stack it gave the thread, and must find that one. */
void ssp_faults_unwatch(void)
{
    own_cell = NULL;
    sigaltstack(&former_stack, NULL);
}
