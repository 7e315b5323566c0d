// The table of controllers between two threads that do not wait for each other.
using System.Runtime.InteropServices;

namespace SspHost.Abi.Tests;

public sealed unsafe class ControllerTableTests : IDisposable
{
    private readonly ControllerTable* _table = (ControllerTable*)NativeMemory.AllocZeroed((nuint)ControllerTable.Bytes);
    private readonly ControllerRow* _into = (ControllerRow*)NativeMemory.AllocZeroed((nuint)(MidiLimits.Controllers * sizeof(ControllerRow)));

    public void Dispose()
    {
        NativeMemory.Free(_table);
        NativeMemory.Free(_into);
    }

    [Fact]
    public void What_is_read_is_one_whole_table_however_fast_it_is_written()
    {
        using var ending = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            var rows = new ControllerRow[MidiLimits.Controllers];
            for (uint n = 1; !ending.IsCancellationRequested; n++)
            {
                var count = (int)(n % 300) + 1;
                for (var r = 0; r < count; r++) rows[r] = new ControllerRow { Target = n, Parameter = r };
                ControllerTable.Write(_table, rows.AsSpan(0, count), n);
            }
        });
        writer.Start();
        var (whole, torn) = (0, 0);
        while (whole < 2000 && torn < 50_000_000)
        {
            var count = ControllerTable.TryRead(_table, _into, out var generation, out _);
            if (count < 0)
            {
                if (++torn % 1000 == 0) Thread.Sleep(0); // the writer may have lost its core within a write
                continue;
            }

            whole++;
            if (generation == 0) continue; // nothing was written yet
            Assert.Equal((int)(generation % 300) + 1, count);
            for (var r = 0; r < count; r++) Assert.Equal((generation, r), (_into[r].Target, _into[r].Parameter));
        }

        ending.Cancel();
        writer.Join();
        Assert.Equal(2000, whole);
    }

    [Fact]
    public void A_writer_that_died_within_a_write_is_followed_by_one_that_is_read()
    {
        ControllerTable.Write(_table, [new ControllerRow { Target = 1 }], 1);
        *(ulong*)_table |= 1;
        Assert.Equal(-1, ControllerTable.TryRead(_table, _into, out _, out _));
        ControllerTable.Write(_table, [new ControllerRow { Target = 2 }], 2);
        Assert.Equal(1, ControllerTable.TryRead(_table, _into, out var generation, out var sequence));
        Assert.Equal((2u, 2u, _table->Sequence), (_into->Target, generation, sequence));
    }

    [Fact]
    public void More_rows_than_there_is_room_for_are_left_out()
    {
        ControllerTable.Write(_table, new ControllerRow[MidiLimits.Controllers + 10], 1);
        Assert.Equal(MidiLimits.Controllers, ControllerTable.TryRead(_table, _into, out _, out _));
    }
}
