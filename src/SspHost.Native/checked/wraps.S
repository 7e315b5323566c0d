/* What the linker puts in front of the runtime's allocation helpers (--wrap): a test, and a jump that leaves the caller's return address
   where it was, so that stack walks see nothing of it. helpers.sh fails the build on a helper that has no wrapper here. */
#if defined(__x86_64__)

.macro wrap helper
    .pushsection .rodata.str1.1, "aMS", @progbits, 1
9:  .asciz "\helper"
    .popsection
    .pushsection .text.__wrap_\helper, "ax", @progbits
    .globl __wrap_\helper
    .weak __real_\helper /* a runtime that has no such helper does not ask for its wrapper either */
    .type __wrap_\helper, @function
__wrap_\helper:
    .cfi_startproc
    cmpl $0, %fs:ssp_guard_armed@tpoff
    jne 1f
    jmp __real_\helper
1:  leaq 9b(%rip), %r11
    push %rdi
    .cfi_adjust_cfa_offset 8
    push %rsi
    .cfi_adjust_cfa_offset 8
    push %rdx
    .cfi_adjust_cfa_offset 8
    push %rcx
    .cfi_adjust_cfa_offset 8
    push %r8
    .cfi_adjust_cfa_offset 8
    push %r9
    .cfi_adjust_cfa_offset 8
    push %rax
    .cfi_adjust_cfa_offset 8
    mov %r11, %rdi
    mov 56(%rsp), %rsi
    call ssp_guard_managed
    pop %rax
    .cfi_adjust_cfa_offset -8
    pop %r9
    .cfi_adjust_cfa_offset -8
    pop %r8
    .cfi_adjust_cfa_offset -8
    pop %rcx
    .cfi_adjust_cfa_offset -8
    pop %rdx
    .cfi_adjust_cfa_offset -8
    pop %rsi
    .cfi_adjust_cfa_offset -8
    pop %rdi
    .cfi_adjust_cfa_offset -8
    jmp __real_\helper
    .cfi_endproc
    .size __wrap_\helper, . - __wrap_\helper
    .popsection
.endm

/* long ssp_guard_stub(number, a, b, c, d, e, f): the one place the filter lets system calls through. */
    .text
    .globl ssp_guard_stub
    .globl ssp_guard_stub_passed
    .hidden ssp_guard_stub_passed
    .type ssp_guard_stub, @function
ssp_guard_stub:
    .cfi_startproc
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
ssp_guard_stub_passed:
    ret
    .cfi_endproc
    .size ssp_guard_stub, . - ssp_guard_stub

#elif defined(__aarch64__)

.macro wrap helper
    .pushsection .rodata.str1.1, "aMS", @progbits, 1
9:  .asciz "\helper"
    .popsection
    .pushsection .text.__wrap_\helper, "ax", @progbits
    .globl __wrap_\helper
    .weak __real_\helper
    .type __wrap_\helper, @function
__wrap_\helper:
    .cfi_startproc
    mrs x16, tpidr_el0
    add x16, x16, #:tprel_hi12:ssp_guard_armed
    add x16, x16, #:tprel_lo12_nc:ssp_guard_armed
    ldr w16, [x16]
    cbnz w16, 1f
    b __real_\helper
1:  adrp x16, 9b
    add x16, x16, :lo12:9b
    stp x29, x30, [sp, #-96]!
    .cfi_def_cfa_offset 96
    .cfi_offset x29, -96
    .cfi_offset x30, -88
    mov x29, sp
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, x7, [sp, #64]
    str x8, [sp, #80]
    mov x0, x16
    mov x1, x30
    bl ssp_guard_managed
    ldp x0, x1, [sp, #16]
    ldp x2, x3, [sp, #32]
    ldp x4, x5, [sp, #48]
    ldp x6, x7, [sp, #64]
    ldr x8, [sp, #80]
    ldp x29, x30, [sp], #96
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    b __real_\helper
    .cfi_endproc
    .size __wrap_\helper, . - __wrap_\helper
    .popsection
.endm

    .text
    .globl ssp_guard_stub
    .globl ssp_guard_stub_passed
    .hidden ssp_guard_stub_passed
    .type ssp_guard_stub, @function
ssp_guard_stub:
    .cfi_startproc
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
ssp_guard_stub_passed:
    ret
    .cfi_endproc
    .size ssp_guard_stub, . - ssp_guard_stub

#endif

/* Objects, arrays and strings, by runtime version. */
wrap RhpNewFast
wrap RhpNewFastAlign8
wrap RhpNewFastMisalign
wrap RhpNewFinalizable
wrap RhpNewFinalizableAlign8
wrap RhpNewArray
wrap RhpNewArrayAlign8
wrap RhpNewArrayFast
wrap RhpNewArrayFastAlign8
wrap RhpNewPtrArrayFast
wrap RhNewString
wrap RhNewVariableSizeObject
wrap RhpNewVariableSizeObject
wrap RhpGcAlloc
wrap RhAllocateNewObject
wrap RhAllocateNewArray
/* Handles, dispatch cells and thunks: the runtime's own memory. */
wrap RhpHandleAlloc
wrap RhpHandleAllocDependent
wrap RhNewInterfaceDispatchCell
wrap RhAllocateThunksMapping
/* Not allocations, but never wanted there either: a collection; an exception, however it was made. */
wrap RhpCollect
wrap RhpThrowEx
wrap RhpRethrow

    .section .note.GNU-stack, "", @progbits
