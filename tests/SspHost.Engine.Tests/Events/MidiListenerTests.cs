// What becomes of messages, without threads or files: events at their frames, parameters along their curves, word to the control process.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Events;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Events;

public sealed unsafe class MidiListenerTests : IDisposable
{
    private const ulong Start = 1_000_000_000, FrameNs = 20_000; // 50 kHz
    private const int Quantum = 32, Latency = Quantum + 50;

    private readonly Region _region = Region.Create(Region.MinBytes, default, "test", out var error, locks: false) ?? throw new InvalidOperationException(error);
    private readonly MidiListener* _listener;
    private readonly MidiLine* _lines;
    private readonly ControllerRow* _rows;

    public MidiListenerTests()
    {
        _lines = (MidiLine*)NativeMemory.AllocZeroed((nuint)(MidiLimits.Ports * sizeof(MidiLine)));
        _rows = (ControllerRow*)NativeMemory.AllocZeroed((nuint)(MidiLimits.Controllers * sizeof(ControllerRow)));
        _listener = (MidiListener*)NativeMemory.AllocZeroed((nuint)sizeof(MidiListener));
        *_listener = new MidiListener(Map, _lines, _rows);
        _listener->Clock.MarginNs = EventClock.RealTimeNs;
        Map.MidiPorts[1].Hash = MidiPorts.Hash("keys");
        Plays();
    }

    private RegionMap Map => _region.Map;

    private void Plays() => Map.FrameAnchor->Write(new FrameAnchor { Frame = 0, Time = Start, NanosecondsPerFrame = FrameNs, Rate = 50_000, Quantum = Quantum });

    private void Take(ulong frame, byte status, byte first = 0, byte second = 0, int port = 1)
    {
        var time = Start + (frame * FrameNs);
        _listener->Begin(time);
        _listener->Take(port, new MidiMessage(status, first, second), time);
    }

    private List<ModuleEvent> Events()
    {
        var events = new List<ModuleEvent>();
        while (Map.MidiEvents.TryPop(out var e)) events.Add(e);
        return events;
    }

    private List<(uint Row, float Value)> Moves() => [.. Events().Where(e => e.Kind == EventKind.Parameter).Select(e => ((uint)e.Index, e.Value))];

    private List<Heard> Heard()
    {
        var heard = new List<Heard>();
        while (Map.Heard.TryPop(out var h)) heard.Add(h);
        return heard;
    }

    private static ControllerRow Row(int number, int parameter, bool fine = false, string port = "", int channel = 0, float from = 0, float to = 100) => new()
    {
        Number = (byte)number, Parameter = parameter, Fine = fine ? (byte)1 : (byte)0, Port = MidiPorts.Hash(port), Channel = (byte)channel,
        Min = 0, Max = 100, FromValue = from, ToValue = to, From = from / 100, To = to / 100, Slot = 7, Target = 42,
    };

    private void Table(params ControllerRow[] rows) => ControllerTable.Write(Map.Controllers, rows, 9);

    public void Dispose()
    {
        NativeMemory.Free(_lines);
        NativeMemory.Free(_rows);
        NativeMemory.Free(_listener);
        _region.Dispose();
    }

    [Fact]
    public void A_message_sounds_at_its_frame_and_the_latency()
    {
        Take(100, 0x90, 60, 127);
        Take(150, 0x80, 60, 0);
        var events = Events();
        Assert.Equal([(EventKind.NoteOn, 100UL + Latency), (EventKind.NoteOff, 150UL + Latency)], events.Select(e => (e.Kind, e.Frame)));
        Assert.Equal((2UL, 2UL, (ulong)Latency), (Map.MidiPorts[1].Messages, Map.Midi->Events, Map.Midi->LatencyFrames));
    }

    [Fact]
    public void Two_events_of_a_port_are_never_turned_round_by_a_correction_of_the_clock()
    {
        Take(100, 0x90, 60, 127);
        Map.FrameAnchor->Write(new FrameAnchor { Frame = 0, Time = Start + (3 * FrameNs), NanosecondsPerFrame = FrameNs, Rate = 50_000, Quantum = Quantum });
        Take(101, 0x80, 60, 0);
        Assert.Equal([100UL + Latency, 100UL + Latency], Events().Select(e => e.Frame));
    }

    [Fact]
    public void While_nothing_plays_nothing_is_sent_and_everything_is_heard()
    {
        Map.FrameAnchor->Write(default);
        Table(Row(7, 0));
        Take(1, 0x90, 60, 127);
        Take(1, 0xB0, 7, 127);
        Take(1, 0xC3, 5);
        Assert.Empty(Events());
        Assert.Equal(3UL, Map.Midi->Unplayed);
        var heard = Heard();
        Assert.Equal([HeardKind.Controller, HeardKind.Wanted, HeardKind.Program], heard.Select(h => h.Kind));
        Assert.Equal((100f, 0u, 9u), (heard[1].Value, heard[1].Row, heard[1].Generation));
        Assert.Equal((3, 5), (heard[2].Channel, heard[2].Number));
    }

    [Fact]
    public void A_controller_moves_its_parameter_along_its_curve_and_reaches_modules_all_the_same()
    {
        var row = Row(74, 3);
        (row.Min, row.Max, row.FromValue, row.ToValue, row.From, row.To, row.Curve) = (20, 20_000, 20_000, 20, 1, 0, (byte)ParameterCurve.Exponential);
        Table(row);
        Take(10, 0xB0, 74, 0);
        Take(11, 0xB0, 74, 127);
        Take(12, 0xB0, 74, 64);
        var events = Events();
        Assert.Equal([EventKind.Controller, EventKind.Parameter, EventKind.Controller, EventKind.Parameter, EventKind.Controller, EventKind.Parameter], events.Select(e => e.Kind));
        Assert.Equal((42u, 7, 3, 10UL + Latency), (events[1].Target, (int)events[1].Slot, events[1].Index, events[1].Frame));
        Assert.Equal((20_000f, 20f), (events[1].Value, events[3].Value)); // exactly the ends, the larger one first
        Assert.Equal(20 * Math.Pow(1000, 1 - (64 / 127.0)), events[5].Value, 20_000 * 1e-6);
    }

    [Fact]
    public void Only_the_port_and_the_channel_that_are_meant_move_it()
    {
        Table(Row(7, 0, port: "keys", channel: 2), Row(7, 1, port: "pads"), Row(7, 2, channel: 1), Row(7, 3));
        Take(1, 0xB0, 7, 127);
        Assert.Equal([(2u, 100f), (3u, 100f)], Moves());
        Take(2, 0xB1, 7, 127);
        Assert.Equal([(0u, 100f), (3u, 100f)], Moves());
        Take(3, 0xB1, 7, 127, port: 2);
        Assert.Equal([(3u, 100f)], Moves());
        Take(4, 0xB1, 8, 127);
        Assert.Empty(Moves());
    }

    [Fact]
    public void Fourteen_bits_come_as_one_move_for_both_halves_and_never_leap_between_them()
    {
        Table(Row(1, 0, fine: true));
        for (var value = 0; value < 16384; value += 7)
        {
            Take(10, 0xB0, 1, (byte)(value >> 7));
            Assert.Empty(Moves()); // half a value moves nothing
            Take(10, 0xB0, 33, (byte)(value & 127));
            var (_, moved) = Assert.Single(Moves());
            Assert.Equal(value * 100f / 16383, moved, 3);
        }

        Assert.Equal(0UL, _listener->Due(Start)); // nothing waits
    }

    [Fact]
    public void A_lower_half_alone_refines_the_upper_half_that_came_before()
    {
        Table(Row(1, 0, fine: true));
        Take(10, 0xB0, 33, 5);
        Assert.Empty(Moves()); // of nothing
        Take(10, 0xB0, 1, 64);
        Take(10, 0xB0, 33, 0);
        Take(11, 0xB0, 33, 64);
        Assert.Equal([64 * 128 * 100 / 16383f, ((64 * 128) + 64) * 100 / 16383f], Moves().Select(m => m.Value), (a, b) => Math.Abs(a - b) < 1e-3f);
    }

    [Fact]
    public void An_upper_half_without_a_lower_one_counts_after_its_time_or_when_another_controller_moves()
    {
        Table(Row(1, 0, fine: true), Row(2, 1, fine: true));
        Take(10, 0xB0, 1, 127);
        var now = Start + (10 * FrameNs);
        Assert.Equal(MidiListener.PatienceNs, _listener->Due(now));
        _listener->Tend(now + MidiListener.PatienceNs - 1);
        Assert.Empty(Moves());
        _listener->Begin(now + MidiListener.PatienceNs);
        _listener->Tend(now + MidiListener.PatienceNs);
        Assert.Equal(127 * 128 * 100 / 16383f, Assert.Single(Moves()).Value, 3);

        Take(600, 0xB0, 1, 1);
        Take(601, 0xB0, 2, 2);
        Assert.Equal(0u, Assert.Single(Moves()).Row);
        Take(601, 0xB0, 34, 0);
        Assert.Equal(1u, Assert.Single(Moves()).Row);
    }

    [Fact]
    public void A_port_that_goes_lets_its_notes_and_pedals_go_on_the_channels_it_played_on()
    {
        Take(1, 0x92, 60, 100);
        Take(2, 0x95, 61, 100);
        _ = Events();
        _listener->Silence(1, Start + (50 * FrameNs));
        Assert.Equal([(2, 64, 0f), (2, 123, 0f), (5, 64, 0f), (5, 123, 0f)], Events().Select(e => ((int)e.Channel, e.Index, e.Value)));
        _listener->Silence(1, Start + (60 * FrameNs));
        Assert.Empty(Events()); // once
    }

    [Fact]
    public void A_new_table_holds_from_the_next_message_on_and_one_that_is_half_written_moves_nothing()
    {
        Table(Row(7, 0));
        Take(1, 0xB0, 7, 1);
        Assert.Single(Moves());
        var sequence = (ulong*)Map.Controllers;
        *sequence |= 1; // its writer is at work, or has died
        Take(2, 0xB0, 7, 2);
        Assert.Empty(Moves());
        Table(Row(7, 5), Row(7, 6));
        Take(3, 0xB0, 7, 3);
        Assert.Equal([5u, 6u], Moves().Select(m => m.Row));
    }

    [Fact]
    public void Rings_that_nobody_empties_cost_only_what_does_not_fit()
    {
        Table(Row(7, 0));
        for (var i = 0; i < 5000; i++) Take((ulong)i, 0xB0, 7, (byte)(i & 127));
        Assert.Equal(Map.MidiEvents.Capacity, Map.MidiEvents.Count);
        Assert.Equal(10_000UL, Map.Midi->Events + Map.Midi->Dropped);
        Assert.Equal(Map.Heard.Capacity, Map.Heard.Count);
    }

    [Fact]
    public void It_allocates_nothing()
    {
        Table(Row(1, 0, fine: true), Row(7, 1));
        void Everything()
        {
            Take(1, 0x90, 60, 1);
            Take(1, 0xB0, 1, 1);
            Take(1, 0xB0, 33, 1);
            Take(1, 0xB0, 7, 1);
            _listener->Tend(Start + (1UL << 40));
            _listener->Silence(1, Start);
        }

        Everything();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Everything();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
