/* System calls of RT threads: each is trapped, and passes only if the engine itself made it and it is on the list below. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code */
#endif

extern const char ssp_guard_stub_passed[]; /* in wraps.S: where a call that may pass comes from */

/*
 * The engine's own system calls on RT threads, outside of any module. Whoever adds one says why it may be there; the build-time proof
 * (tests) has the same list by the name of the C library's function.
 */
static const struct {
    long number;
    const char *reason;
} allowed[] = {
    { SYS_futex, "threads wait for each other: quantum, join, the watchdog's tick, the peer of a stream" },
    { SYS_getrusage, "faults and switches of a wake-up, once for each" },
    { SYS_clock_nanosleep, "a card without a clock of its own is paced by the monotonic one" },
    { SYS_clock_gettime, "CPU time of a thread that may be stuck (watchdog); the monotonic clock where the vDSO has none" },
    { SYS_ioctl, "commit, status, start and stop of a sound card" },
    { SYS_ppoll, "waiting for MIDI (events thread), for a sound card" },
    { SYS_read, "MIDI, from files that do not block (events thread)" },
#ifdef SYS_poll
    { SYS_poll, "waiting for a sound card" },
#endif
    { SYS_pread64, "the kernel's word on whether a thread waits (watchdog)" },
    { SYS_sched_setscheduler, "a stuck thread loses its priority, its successor gets it (watchdog)" },
    { SYS_sched_setaffinity, "the successor goes to the stuck thread's core (watchdog)" },
    { SYS_sched_getaffinity, "the same, where it was bound to none (watchdog)" },
    { SYS_membarrier, "a takeover makes every core pass a barrier (watchdog)" },
    { SYS_tgkill, "a late thread is asked where it stands (watchdog)" },
    { SYS_getpid, "the same: whose thread" },
    { SYS_process_vm_readv, "who holds the futex that a late thread waits for, at an address that may be none (watchdog)" },
    { SYS_restart_syscall, "one of these, resumed by the kernel after a signal" },
};

#define NAME(call) { SYS_##call, #call }

/* What a report calls them; others are told by number. */
static const struct {
    long number;
    const char *name;
} names[] = {
    NAME(read), NAME(write), NAME(close), NAME(fstat), NAME(lseek), NAME(mmap), NAME(mprotect), NAME(munmap), NAME(brk), NAME(rt_sigaction),
    NAME(rt_sigprocmask), NAME(ioctl), NAME(pread64), NAME(pwrite64), NAME(readv), NAME(writev), NAME(sched_yield), NAME(mremap), NAME(msync),
    NAME(madvise), NAME(nanosleep), NAME(getpid), NAME(gettid), NAME(socket), NAME(connect), NAME(accept), NAME(sendto), NAME(recvfrom),
    NAME(sendmsg), NAME(recvmsg), NAME(clone), NAME(execve), NAME(exit), NAME(exit_group), NAME(wait4), NAME(kill), NAME(tgkill), NAME(fcntl),
    NAME(fsync), NAME(fdatasync), NAME(ftruncate), NAME(getcwd), NAME(prctl), NAME(futex), NAME(sched_setaffinity), NAME(sched_getaffinity),
    NAME(sched_setscheduler), NAME(clock_gettime), NAME(clock_nanosleep), NAME(openat), NAME(newfstatat), NAME(unlinkat), NAME(readlinkat),
    NAME(faccessat), NAME(ppoll), NAME(pselect6), NAME(prlimit64), NAME(getrandom), NAME(membarrier), NAME(getrusage), NAME(sigaltstack),
    NAME(process_vm_readv), NAME(setpriority), NAME(mlock), NAME(munlock), NAME(getdents64), NAME(dup), NAME(dup3), NAME(pipe2), NAME(eventfd2), NAME(epoll_pwait), NAME(rseq),
#ifdef SYS_clone3
    NAME(clone3),
#endif
#if defined(__x86_64__)
    NAME(open), NAME(stat), NAME(lstat), NAME(poll), NAME(access), NAME(pause), NAME(select), NAME(dup2), NAME(pipe), NAME(fork), NAME(vfork),
    NAME(unlink), NAME(readlink), NAME(mkdir), NAME(time), NAME(epoll_wait),
#endif
};

static int is_allowed(long number, const long *arguments)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (allowed[i].number != number) continue;
        return number != SYS_ioctl || ((arguments[1] >> 8) & 0xff) == 'A'; /* of ioctls, those of sound cards */
    }
    return 0;
}

static void describe(long number, char *text, size_t bytes)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].number != number) continue;
        snprintf(text, bytes, "%s", names[i].name);
        return;
    }
    snprintf(text, bytes, "number %ld", number);
}

/* What depends on the stack or the mask it is called with has to be done to the frame the handler returns to. */
static long replay(long number, const long *a, ucontext_t *context)
{
    uint64_t *mask = (uint64_t *)&context->uc_sigmask; /* the kernel's: 64 signals */
    const uint64_t own = 1ull << (SIGSYS - 1);
    switch (number) {
    case SYS_rt_sigprocmask: {
        const uint64_t *set = (const uint64_t *)a[1];
        uint64_t *old = (uint64_t *)a[2], before = *mask, wanted = set ? *set : 0;
        if (a[3] != sizeof *mask) return -EINVAL;
        if (set && a[0] != SIG_BLOCK && a[0] != SIG_UNBLOCK && a[0] != SIG_SETMASK) return -EINVAL;
        if (set) *mask = a[0] == SIG_BLOCK ? before | wanted : a[0] == SIG_UNBLOCK ? before & ~wanted : wanted;
        *mask &= ~own; /* a call that is trapped while its signal is blocked ends the process without a word */
        if (old) *old = before;
        return 0;
    }
    case SYS_sigaltstack:
        if (a[1]) *(stack_t *)a[1] = context->uc_stack;
        if (a[0]) context->uc_stack = *(const stack_t *)a[0];
        return 0;
    case SYS_clone: /* the child would return into this handler */
#ifdef SYS_clone3
    case SYS_clone3:
#endif
#ifdef SYS_vfork
    case SYS_vfork:
    case SYS_fork:
#endif
        return -EAGAIN;
    default:
        return ssp_guard_stub(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

static void on_trap(int signal_number, siginfo_t *info, void *frame)
{
    (void)signal_number;
    int error = errno;
    ucontext_t *context = frame;
    long number = info->si_syscall;
#if defined(__x86_64__)
    greg_t *r = context->uc_mcontext.gregs;
    long arguments[6] = { r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9] };
    uintptr_t at = (uintptr_t)r[REG_RIP];
#else
    unsigned long long *r = context->uc_mcontext.regs;
    long arguments[6] = { (long)r[0], (long)r[1], (long)r[2], (long)r[3], (long)r[4], (long)r[5] };
    uintptr_t at = context->uc_mcontext.pc;
#endif
    int foreign = info->si_code != SYS_SECCOMP || info->si_arch != ARCHITECTURE;
    if (ssp_guard_armed && !(guard_self.cell && guard_self.cell->signal)) { /* one that is held after a fault only pauses */
        int inside = guard_module() != -1;
        if (foreign || inside || !is_allowed(number, arguments)) {
            char call[64];
            describe(number, call, sizeof call);
            guard_violation("system call", foreign ? "of another architecture" : call, (struct guard_site) { at, 1 });
        }
    }
    long result = foreign ? -ENOSYS : replay(number, arguments, context);
#if defined(__x86_64__)
    r[REG_RAX] = result;
#else
    r[0] = (unsigned long long)result;
#endif
    errno = error;
}

int guard_handle_system_calls(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART; /* not on the signal stack: a handler that waits would keep it */
    sigemptyset(&action.sa_mask);
    return sigaction(SIGSYS, &action, NULL) == 0 ? 0 : errno;
}

int guard_trap_system_calls(void)
{
    const uint64_t passed = (uint64_t)(uintptr_t)ssp_guard_stub_passed;
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)passed, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(passed >> 32), 4, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1), /* how handlers end, this one too */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog filter = { sizeof program / sizeof *program, program };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : errno; /* of this thread alone */
}
