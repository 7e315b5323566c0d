/* The checked build's guards: what its files share. Nothing here is in a release image. */
#ifndef SSP_GUARD_H
#define SSP_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* The same as FaultCell in the engine. */
struct fault_cell {
    volatile int32_t *current; /* slot + 1 of the module its thread is inside; 0: none */
    volatile int32_t ghost;    /* replaced, and still inside one */
    volatile int32_t signal;   /* held in the handler of that fault */
    volatile uint64_t address;
};

/* What the engine calls a module: where InstanceRecord keeps it, the ids of the module types, and the files of those that came with a library;
   NULL: none is of that number, it came with the engine. */
struct guard_names {
    const uint8_t *instances;
    int32_t stride, name_offset, module_offset;
    int32_t instance_count, type_count;
    const char *const *types, *const *files;
};

/* An RT thread as the guards see it. */
struct guard_thread {
    const struct fault_cell *cell;
    int section;   /* runs its function: what it does counts */
    int permits;   /* of these, unfinished ones */
    int reporting; /* a violation is being written: what that takes is no violation */
    int filtered;  /* its system calls are trapped, for good */
};

extern __thread struct guard_thread guard_self;

/* For wraps.S: not 0 where a managed allocation is a violation. Follows from guard_self. */
extern __thread int ssp_guard_armed;

void guard_rearm(void);

/* Slot of the module the calling thread is inside, or -1; -2: inside one, but its name is gone (the thread has been replaced). */
int guard_module(void);

extern struct guard_names guard_names;

/* Where a report's first frame is: the address of a call that returns there, or of an instruction. */
struct guard_site {
    uintptr_t address;
    int exact; /* the instruction itself, as a signal has it; else a return address */
};

/* Writes the report and aborts; in warn mode it returns after at most a line a second. */
void guard_violation(const char *what, const char *detail, struct guard_site site);

/* Traps every system call of the calling thread from now on; 0 or an errno. */
int guard_trap_system_calls(void);

/* Installs the handler of those traps; 0 or an errno. */
int guard_handle_system_calls(void);

/* A system call that is not trapped: the kernel's answer, -errno where it fails. */
long ssp_guard_stub(long number, long a, long b, long c, long d, long e, long f);

/* A function of the image and the line of an address; NULL and 0 where unknown. */
struct guard_symbol {
    const char *name, *file;
    uint32_t line;
};

void guard_symbols_open(void);

/* 1 if the address lies in the image and the symbol file knows it. */
int guard_symbol_find(uintptr_t address, struct guard_symbol *symbol);

/* Why there are no symbols, or NULL. */
const char *guard_symbols_problem(void);

extern int guard_warns; /* violations are reported and the thread goes on */

#endif
