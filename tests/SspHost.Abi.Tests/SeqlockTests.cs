// The seqlock: a reader gets a value that was written as a whole, or none.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi.Tests;

public sealed unsafe class SeqlockTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Wide
    {
        public fixed ulong Words[64]; // several cache lines, so that a torn copy is likely

        public static Wide Of(ulong n)
        {
            Wide w;
            for (var i = 0; i < 64; i++) w.Words[i] = n * (ulong)(i + 1);
            return w;
        }

        public readonly bool IsWhole()
        {
            for (var i = 0; i < 64; i++)
                if (Words[i] != Words[0] * (ulong)(i + 1)) return false;
            return true;
        }
    }

    [Fact]
    public void A_reader_never_sees_a_torn_value_and_never_an_older_one_than_before()
    {
        const ulong writes = 300_000;
        var memory = (Seqlock<Wide>*)NativeMemory.AlignedAlloc((nuint)sizeof(Seqlock<Wide>), 128);
        NativeMemory.Clear(memory, (nuint)sizeof(Seqlock<Wide>));
        var done = false;
        long torn = 0, backwards = 0, reads = 0, changed = 0;
        var reader = new Thread(() =>
        {
            ulong last = 0;
            while (!Volatile.Read(ref done))
            {
                if (!memory->TryRead(out var value)) continue;
                reads++;
                if (!value.IsWhole()) torn++;
                if (value.Words[0] < last) backwards++;
                if (value.Words[0] != last) changed++;
                last = value.Words[0];
            }
        });
        reader.Start();
        while (Volatile.Read(ref reads) == 0) Thread.Yield();
        for (ulong n = 1; n <= writes; n++)
        {
            memory->Write(Wide.Of(n));
            if ((n & 255) == 0) Thread.Yield();
        }

        Volatile.Write(ref done, true);
        reader.Join();
        Assert.True(memory->TryRead(out var final));
        NativeMemory.AlignedFree(memory);
        Assert.Equal((0L, 0L), (torn, backwards));
        Assert.Equal(writes, final.Words[0]);
        Assert.True(changed > 100, $"{reads} reads saw {changed} values: the two never met"); // otherwise this proves nothing
    }

    [Fact]
    public void A_plain_copy_of_the_same_value_does_tear()
    {
        // The positive control: without the count, this same traffic is torn, so the test above can fail.
        var memory = (Wide*)NativeMemory.AlignedAlloc((nuint)sizeof(Wide), 128);
        NativeMemory.Clear(memory, (nuint)sizeof(Wide));
        var done = false;
        var torn = 0L;
        var reader = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                var copy = Unsafe.ReadUnaligned<Wide>(memory);
                if (!copy.IsWhole()) Interlocked.Increment(ref torn);
            }
        });
        reader.Start();
        for (ulong n = 1; n <= 200_000_000 && Interlocked.Read(ref torn) < 10; n++) *memory = Wide.Of(n);
        Volatile.Write(ref done, true);
        reader.Join();
        NativeMemory.AlignedFree(memory);
        Assert.True(torn >= 10);
    }

    [Fact]
    public void A_writer_that_died_within_a_write_is_reported_not_waited_for()
    {
        Seqlock<long> seqlock = default;
        seqlock.Write(42);
        Assert.True(seqlock.TryRead(out var value));
        Assert.Equal(42, value);
        *(ulong*)&seqlock += 1; // odd: within a write
        Assert.False(seqlock.TryRead(out value, attempts: 10));
        Assert.Equal(0, value);
    }
}
