// What the kernel tells of a thread in /proc: opened by the thread itself when it begins, read by the watchdog when it is late.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>Counters of a thread as they stand at one moment.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ThreadFacts
{
    /// <summary>CLOCK_MONOTONIC when they were read; ns it has computed, and was ready without a core.</summary>
    internal ulong Time, CpuTime, RunDelay;

    internal ulong MinorFaults, MajorFaults, VoluntarySwitches, Preemptions;

    /// <summary>Letter of its state; 0: not known.</summary>
    internal byte State;
}

/// <summary>File descriptors, 0 = none. Reading allocates nothing; a file the kernel does not have leaves its figures 0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ThreadFiles
{
    private int _stat, _schedstat, _status, _syscall, _wchan;

    /// <summary>Those of the calling thread.</summary>
    internal void Open()
    {
        _stat = Open("/proc/thread-self/stat\0"u8);
        _schedstat = Open("/proc/thread-self/schedstat\0"u8);
        _status = Open("/proc/thread-self/status\0"u8);
        _syscall = Open("/proc/thread-self/syscall\0"u8);
        _wchan = Open("/proc/thread-self/wchan\0"u8);
    }

    internal void Close()
    {
        foreach (var file in (ReadOnlySpan<int>)[_stat, _schedstat, _status, _syscall, _wchan])
            if (file > 0) _ = Linux.Close(file);
        this = default;
    }

    /// <summary>Letter of the thread's state ('R' runs or is ready, 'S' sleeps, 'D', 'T', 't'); 0: not known.</summary>
    internal readonly byte State()
    {
        const int Enough = 64; // "TID (name) S ...": the name has at most 15 characters
        var text = stackalloc byte[Enough];
        var got = Read(_stat, text, Enough);
        var at = AfterName(text, got);
        return at < 0 ? (byte)0 : text[at];
    }

    internal readonly ThreadFacts Facts(int tid)
    {
        const int Enough = 2048;
        var text = stackalloc byte[Enough];
        var facts = new ThreadFacts { Time = Linux.Now(), CpuTime = ThreadCalls.CpuTime(tid) };
        var got = Read(_stat, text, Enough);
        var at = AfterName(text, got);
        if (at >= 0)
        {
            // state ppid pgrp session tty tpgid flags minflt cminflt majflt
            facts.State = text[at];
            for (var field = 0; field < 7; field++) at = NextWord(text, got, at);
            facts.MinorFaults = Number(text, got, at);
            facts.MajorFaults = Number(text, got, NextWord(text, got, NextWord(text, got, at)));
        }

        got = Read(_schedstat, text, Enough);
        facts.RunDelay = Number(text, got, NextWord(text, got, 0));
        got = Read(_status, text, Enough);
        facts.VoluntarySwitches = Labelled(text, got, "\nvoluntary_ctxt_switches:"u8);
        facts.Preemptions = Labelled(text, got, "\nnonvoluntary_ctxt_switches:"u8);
        return facts;
    }

    /// <summary>Number of the system call it is in and its first argument; -1: in none, -2: not known.</summary>
    internal readonly int SystemCall(out ulong argument)
    {
        const int Enough = 256;
        var text = stackalloc byte[Enough];
        argument = 0;
        var got = Read(_syscall, text, Enough);
        if (got <= 0) return -2;
        if (text[0] == (byte)'r' || text[0] == (byte)'-') return -1; // "running"; "-1 sp pc": blocked, but not in a call
        var number = (int)Number(text, got, 0);
        var at = NextWord(text, got, 0) + 2; // "0x..."
        for (; at > 1 && at < got && Digit(text[at]) >= 0; at++) argument = (argument << 4) | (uint)Digit(text[at]);
        return number;
    }

    /// <summary>Where in the kernel it waits, zero-terminated; empty: nowhere, or nobody says.</summary>
    internal readonly void Wait(byte* into, int bytes)
    {
        var got = Read(_wchan, into, bytes - 1);
        if (got == 1 && into[0] == (byte)'0') got = 0;
        into[got] = 0;
    }

    private static int Open(ReadOnlySpan<byte> path)
    {
        fixed (byte* p = path) return Linux.Open(p, 0x80000, 0); // O_RDONLY | O_CLOEXEC
    }

    private static int Read(int file, byte* into, int bytes) => file <= 0 ? 0 : (int)Math.Max(0, ThreadCalls.ReadAt(file, into, (nuint)bytes, 0));

    // The name may hold anything, brackets and spaces, too: the last bracket ends it.
    private static int AfterName(byte* text, int got)
    {
        for (var i = got - 3; i >= 0; i--)
            if (text[i] == (byte)')' && text[i + 1] == (byte)' ') return i + 2;
        return -1;
    }

    private static int NextWord(byte* text, int got, int at)
    {
        while (at < got && text[at] != (byte)' ') at++;
        return Math.Min(at + 1, got);
    }

    private static ulong Number(byte* text, int got, int at)
    {
        ulong value = 0;
        for (; at < got && text[at] is >= (byte)'0' and <= (byte)'9'; at++) value = (value * 10) + (uint)(text[at] - '0');
        return value;
    }

    private static ulong Labelled(byte* text, int got, ReadOnlySpan<byte> label)
    {
        var at = MemoryMarshal.CreateReadOnlySpan(ref *text, got).IndexOf(label);
        if (at < 0) return 0;
        at += label.Length;
        while (at < got && text[at] is (byte)' ' or (byte)'\t') at++;
        return Number(text, got, at);
    }

    private static int Digit(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        _ => -1,
    };
}
