// A source of MIDI: an open file and whose it is at the moment, the steward's or the events thread's.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Events;

/// <summary>
/// The steward opens and closes, because that takes its time; the events thread reads. Whose turn it is, is published with release and read with
/// acquire, so that the fields need no more.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MidiSource
{
    private int _turn;

    /// <summary>The file, non-blocking; -1: none.</summary>
    public int File;

    /// <summary>1: events of the sequencer come, else the bytes of a cable.</summary>
    public int IsSequencer;

    /// <summary>Why it was left: an errno, 0 where it was asked back.</summary>
    public int Error;

    /// <summary>ns to be added to the sequencer's queue for CLOCK_MONOTONIC; 0: not known. [steward writes, at any time]</summary>
    public long QueueOffset;

    /// <summary>1: clients or ports of the sequencer have come or gone. [events thread sets, steward clears]</summary>
    public int Changed;

    // The events thread's while it has it.
    public MidiParser Parser;
    public uint Noise;
    public ulong PausedUntil;

    private enum Turn
    {
        /// <summary>Nothing is open. The steward's.</summary>
        Closed,

        /// <summary>Open and not taken yet: the events thread takes it, or the steward takes it back.</summary>
        Offered,

        /// <summary>The events thread reads it.</summary>
        Read,

        /// <summary>The steward wants it back.</summary>
        Wanted,

        /// <summary>The events thread has let go of it: to be closed. The steward's.</summary>
        Left,
    }

    /// <summary>Whether a file can be offered. [steward]</summary>
    public bool IsClosed => (Turn)Volatile.Read(ref _turn) == Turn.Closed;

    /// <summary>Whether it is to be closed. [steward]</summary>
    public bool IsLeft => (Turn)Volatile.Read(ref _turn) == Turn.Left;

    /// <summary>Whether the events thread has to let go of it. [events thread]</summary>
    public bool IsWanted => (Turn)Volatile.Read(ref _turn) == Turn.Wanted;

    /// <summary>Hands a file over. [steward, while it is closed]</summary>
    public void Offer(int file)
    {
        (File, Error, Parser, Noise, PausedUntil) = (file, 0, default, 0, 0);
        Volatile.Write(ref _turn, (int)Turn.Offered);
    }

    /// <summary>Asks it back; it will be left, at once where nobody had taken it. [steward]</summary>
    public void Want()
    {
        if (Interlocked.CompareExchange(ref _turn, (int)Turn.Left, (int)Turn.Offered) == (int)Turn.Offered) return;
        _ = Interlocked.CompareExchange(ref _turn, (int)Turn.Wanted, (int)Turn.Read);
    }

    /// <summary>Whether it may be read now: takes what is offered. [events thread]</summary>
    public bool TryRead()
    {
        var turn = (Turn)Volatile.Read(ref _turn);
        return turn is Turn.Read or Turn.Wanted
            || (turn == Turn.Offered && Interlocked.CompareExchange(ref _turn, (int)Turn.Read, (int)Turn.Offered) == (int)Turn.Offered);
    }

    /// <summary>Lets go of it. [events thread]</summary>
    public void Leave(int error)
    {
        Error = error;
        Volatile.Write(ref _turn, (int)Turn.Left);
    }

    /// <summary>It was closed. [steward]</summary>
    public void Closed()
    {
        File = -1;
        Volatile.Write(ref _turn, (int)Turn.Closed);
    }
}
