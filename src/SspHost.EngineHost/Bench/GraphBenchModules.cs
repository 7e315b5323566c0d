// Modules that exist to be measured around: one that does nothing, one that sleeps, one that burns a given time, one that waits for its twin.
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>Does nothing. What a quantum of it costs is the engine.</summary>
internal struct EmptyModule : IModule<EmptyModule>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "empty",
        Name = "Empty",
        Family = "Bench",
        Text = "Does nothing",
        Inputs = [new("a", "A"), new("b", "B")],
        Outputs = [new("out", "Out")],
    };

    public static void Construct(ref EmptyModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref EmptyModule self) { }

    public static ProcessResult Process(ref EmptyModule self, in ProcessContext context) => ProcessResult.Continue;
}

/// <summary>Silent and asleep from its first quantum on.</summary>
internal struct DozeModule : IModule<DozeModule>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "doze",
        Name = "Doze",
        Family = "Bench",
        Text = "Sleeps",
        Inputs = [new("a", "A"), new("b", "B")],
        Outputs = [new("out", "Out")],
        AcceptsEvents = true,
    };

    public static void Construct(ref DozeModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref DozeModule self) { }

    public static unsafe ProcessResult Process(ref DozeModule self, in ProcessContext context)
    {
        for (var c = 0; c < context.Outputs[0].Channels; c++) new Span<float>(context.Out(0, c), context.Frames).Clear();
        return ProcessResult.Sleep;
    }
}

/// <summary>A chain of dependent multiplications over its input: parameter 0 = how many a sample. Work as modules do it, without memory to speak of.</summary>
internal unsafe struct BurnModule : IModule<BurnModule>
{
    public const int Most = 1000;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "burn",
        Name = "Burn",
        Family = "Bench",
        Text = "Takes time",
        Inputs = [new("a", "A"), new("b", "B")],
        Outputs = [new("out", "Out")],
        Parameters = [new("steps", "Steps", "", 1, Most, 8)],
    };

    public static void Construct(ref BurnModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref BurnModule self) { }

    public static ProcessResult Process(ref BurnModule self, in ProcessContext context)
    {
        float* a = context.In(0), b = context.In(1), to = context.Out(0);
        var steps = (int)context.Param(0);
        for (var i = 0; i < context.Frames; i++)
        {
            var x = (0.5f * (a[i] + b[i])) + 0.25f;
            for (var k = 0; k < steps; k++) x = (x * 0.9f) + 0.01f;
            to[i] = x;
        }

        return ProcessResult.Continue;
    }
}

/// <summary>Waits until its twin runs too: a plan of two of them ends only after another thread was woken, ran and left.</summary>
internal unsafe struct MeetModule : IModule<MeetModule>
{
    /// <summary>Arrivals in all; two a quantum. On memory of its own line.</summary>
    public static long* Arrived;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "meet",
        Name = "Meet",
        Family = "Bench",
        Text = "Waits for its twin",
        Outputs = [new("out", "Out", Rule: ChannelRule.Fixed)],
    };

    public static void Construct(ref MeetModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref MeetModule self) { }

    public static ProcessResult Process(ref MeetModule self, in ProcessContext context)
    {
        var mine = Interlocked.Increment(ref *Arrived);
        var both = (mine + 1) & ~1L;
        var start = CycleClock.Now();
        while (Volatile.Read(ref *Arrived) < both)
        {
            // Without a second core nobody ever comes; the figure then is this limit and shows it.
            if (CycleClock.ToNanoseconds(CycleClock.Now() - start) < 20_000_000) continue;
            Interlocked.CompareExchange(ref *Arrived, both, mine);
        }

        return ProcessResult.Continue;
    }
}
