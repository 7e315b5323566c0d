// Small deterministic modules that each stress one promise of the engine.
using System.Runtime.CompilerServices;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

/// <summary>Makes schedules differ from run to run: inside process, threads spin or give up their core at random.</summary>
internal static class Chaos
{
    public static volatile bool On;

    [ThreadStatic]
    private static uint _seed;

    public static void Step()
    {
        if (!On) return;
        if (_seed == 0) _seed = (uint)Environment.CurrentManagedThreadId * 2654435761u;
        _seed = (_seed * 1664525) + 1013904223;
        var dice = _seed >> 24;
        if (dice < 4) Thread.Yield();
        else if (dice < 60) Thread.SpinWait((int)(_seed >> 12 & 255));
    }
}

/// <summary>Three inputs, two outputs, all following; noise, memory per voice, and every kind of parameter.</summary>
internal unsafe struct Blend : IModule<Blend>
{
    private uint _noise;
    private fixed float _memory[Limits.MaxChannels];

    public static ModuleDescriptor Describe() => new()
    {
        Id = "blend",
        Name = "Blend",
        Family = "Test",
        Text = "Mixes, remembers, adds noise",
        Inputs = [new("a", "A"), new("b", "B"), new("c", "C")],
        Outputs = [new("x", "X"), new("y", "Y")],
        Parameters =
        [
            new("level", "Level", "", 0, 1, 0.5f),
            new("pole", "Pole", "", 0.01f, 0.9f, 0.3f, ParameterCurve.Exponential),
            new("mode", "Mode", "", 0, 3, 1, ParameterCurve.Stepped),
        ],
    };

    public static void Construct(ref Blend self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        self._noise = (uint)setup.Seed | 1;

    public static void Reset(ref Blend self) => new Span<float>(Unsafe.AsPointer(ref self._memory[0]), Limits.MaxChannels).Clear();

    public static ProcessResult Process(ref Blend self, in ProcessContext context)
    {
        Chaos.Step();
        var width = Math.Max(context.Outputs[0].Channels, context.Outputs[1].Channels);
        for (var c = 0; c < width; c++)
        {
            float* a = context.In(0, c), b = context.In(1, c), k = context.In(2, c);
            var x = c < context.Outputs[0].Channels ? context.Out(0, c) : null;
            var y = c < context.Outputs[1].Channels ? context.Out(1, c) : null;
            var m = self._memory[c];
            for (var i = 0; i < context.Frames; i++)
            {
                var segment = i / Limits.Grid;
                var t = i % Limits.Grid / (float)Limits.Grid;
                var level = context.Param(0, segment) + ((context.Param(0, segment + 1) - context.Param(0, segment)) * t);
                var pole = context.Param(1, segment);
                self._noise = (self._noise * 1664525) + 1013904223;
                var noise = (int)self._noise * (1f / int.MaxValue);
                var sum = (0.4f * a[i]) + (0.3f * b[i] * level) - (0.2f * k[i]) + (noise * context.Param(2, segment));
                m += (sum - m) * pole;
                if (x != null) x[i] = m;
                if (y != null) y[i] = sum - m;
            }

            self._memory[c] = m;
        }

        return ProcessResult.Continue;
    }
}

/// <summary>Four times its input; sleeps when told silence, and counts its calls in telemetry.</summary>
internal unsafe struct Sleeper : IModule<Sleeper>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "sleeper",
        Name = "Sleeper",
        Family = "Test",
        Text = "Sleeps through silence",
        Inputs = [new("in", "In")],
        Outputs = [new("out", "Out")],
        Parameters = [new("gain", "Gain", "", 0, 4, 4)],
        Telemetry = [new("calls", TelemetryKind.Step, 1)],
        AcceptsEvents = true,
    };

    public static void Construct(ref Sleeper self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Sleeper self) { }

    public static ProcessResult Process(ref Sleeper self, in ProcessContext context)
    {
        Chaos.Step();
        context.Telemetry[0]++;
        for (var c = 0; c < context.Outputs[0].Channels; c++)
        {
            var from = context.In(0, c);
            var to = context.Out(0, c);
            for (var i = 0; i < context.Frames; i++) to[i] = from[i] * context.Param(0) * 0.25f;
        }

        return context.Inputs[0].Silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}

/// <summary>Out = in, nothing else: a feedback loop around it shows exactly how late the loop is.</summary>
internal unsafe struct Wire : IModule<Wire>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "wire",
        Name = "Wire",
        Family = "Test",
        Text = "Out is in",
        Inputs = [new("in", "In")],
        Outputs = [new("out", "Out")],
    };

    public static void Construct(ref Wire self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Wire self) { }

    public static ProcessResult Process(ref Wire self, in ProcessContext context)
    {
        Chaos.Step();
        for (var c = 0; c < context.Outputs[0].Channels; c++)
            new Span<float>(context.In(0, c), context.Frames).CopyTo(new Span<float>(context.Out(0, c), context.Frames));
        return ProcessResult.Continue;
    }
}

/// <summary>Counts samples: out = number of samples rendered so far, modulo 512. Telemetry: resets. Parameter: what it does wrong.</summary>
internal unsafe struct Faulty : IModule<Faulty>
{
    private int _count;
    private int _resets;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "faulty",
        Name = "Faulty",
        Family = "Test",
        Text = "Fails on demand",
        Outputs = [new("ok", "OK", Rule: ChannelRule.Fixed), new("out", "Out", Rule: ChannelRule.Fixed, Channels: 2)],
        Parameters = [new("fault", "Fault", "", 0, 5, 0, ParameterCurve.Stepped)],
        Telemetry = [new("resets", TelemetryKind.Step, 1)],
    };

    public static void Construct(ref Faulty self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Faulty self) => self._resets++;

    public static ProcessResult Process(ref Faulty self, in ProcessContext context)
    {
        Chaos.Step();
        context.Telemetry[0] = self._resets;
        for (var i = 0; i < context.Frames; i++)
        {
            context.Out(0)[i] = context.Out(1)[i] = context.Out(1, 1)[i] = self._count & 511;
            self._count++;
        }

        var last = context.Out(1, 1) + context.Frames - 1;
        switch ((int)context.Param(0))
        {
            case 1: *last = float.NaN; break;
            case 2: *last = float.NegativeInfinity; break;
            case 3: *last = 1e6f; break;
            case 4: *last = -1000.01f; break;
            case 5: return ProcessResult.Error;
        }

        return ProcessResult.Continue;
    }
}

/// <summary>Puts each event's value at its frame; zero elsewhere.</summary>
internal unsafe struct Tick : IModule<Tick>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "tick",
        Name = "Tick",
        Family = "Test",
        Text = "Events become impulses",
        Outputs = [new("out", "Out", Rule: ChannelRule.Fixed)],
        AcceptsEvents = true,
    };

    public static void Construct(ref Tick self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Tick self) { }

    public static ProcessResult Process(ref Tick self, in ProcessContext context)
    {
        var to = context.Out(0);
        new Span<float>(to, context.Frames).Clear();
        var cursor = 0;
        var any = false;
        for (var e = context.NextEvent(ref cursor); e != null; e = context.NextEvent(ref cursor))
        {
            to[e->Frame] += e->Value;
            any = true;
        }

        return any ? ProcessResult.Continue : ProcessResult.Sleep;
    }
}

/// <summary>A jack of the device as a module.</summary>
internal unsafe struct JackIn : IModule<JackIn>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "jack-in",
        Name = "Jack In",
        Family = "Test",
        Text = "Two jacks of the device",
        Inputs = [new("j1", "1", "", ChannelRule.Fixed, 1, PortKind.Device), new("j2", "2", "", ChannelRule.Fixed, 1, PortKind.Device)],
        Outputs = [new("o1", "1", "", ChannelRule.Fixed), new("o2", "2", "", ChannelRule.Fixed)],
        Sheddable = false,
    };

    public static void Construct(ref JackIn self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref JackIn self) { }

    public static ProcessResult Process(ref JackIn self, in ProcessContext context)
    {
        for (var p = 0; p < 2; p++) new Span<float>(context.In(p), context.Frames).CopyTo(new Span<float>(context.Out(p), context.Frames));
        return ProcessResult.Continue;
    }
}

/// <summary>Sends its input's voices to one jack each.</summary>
internal unsafe struct JackOut : IModule<JackOut>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "jack-out",
        Name = "Jack Out",
        Family = "Test",
        Text = "To a jack of the device",
        Inputs = [new("in", "In", Rule: ChannelRule.Fixed, Channels: 16)],
        Outputs = [new("j1", "1", "", ChannelRule.Fixed, 1, PortKind.Device)],
        Sheddable = false,
    };

    public static void Construct(ref JackOut self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref JackOut self) { }

    public static ProcessResult Process(ref JackOut self, in ProcessContext context)
    {
        Chaos.Step();
        var to = new Span<float>(context.Out(0), context.Frames);
        to.Clear();
        for (var c = 0; c < context.Inputs[0].Channels; c++)
        {
            for (var i = 0; i < context.Frames; i++) to[i] += context.In(0, c)[i];
        }

        return ProcessResult.Continue;
    }
}

/// <summary>State, asset, work, setting, shared data and memory in one: the parts of the contract that others leave out.</summary>
internal unsafe struct Keeper : IModule<Keeper>
{
    public const int SharedMagic = 0x5EED;
    private int* _memory;
    private int _length;
    private int* _shared;
    private long _value;
    private long _reply;
    private float _assetSum;
    private int _asked;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "keeper",
        Version = 2,
        Name = "Keeper",
        Family = "Test",
        Text = "Keeps things",
        Outputs = [new("out", "Out", Rule: ChannelRule.Setting, Channels: 0)],
        Settings = [new("channels", "Channels", 1, 16, 1), new("length", "Length", -1, 1 << 20, 64)],
        Assets = [new("sample", "Sample")],
        Telemetry = [new("value", TelemetryKind.Meter, 1), new("reply", TelemetryKind.Meter, 1), new("asset", TelemetryKind.Meter, 1), new("shared", TelemetryKind.Meter, 1)],
        StateBytes = 12,
        AcceptsEvents = true,
    };

    public static long SharedBytes(float sampleRate) => 4096;

    public static void BuildShared(void* shared, float sampleRate) => *(int*)shared = SharedMagic;

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<int>(Math.Max(0, setup.Settings[1]));

    public static void Construct(ref Keeper self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._length = Math.Abs(setup.Settings[1]); // -1: takes one more than it required
        self._memory = memory.Take<int>(self._length);
        self._shared = (int*)setup.Shared;
        timing.LatencyFrames = 7;
        timing.TailFrames = 99;
    }

    public static void Reset(ref Keeper self) => self._value = 0;

    public static ProcessResult Process(ref Keeper self, in ProcessContext context)
    {
        var cursor = 0;
        for (var e = context.NextEvent(ref cursor); e != null; e = context.NextEvent(ref cursor))
        {
            if (e->Kind == EventKind.Custom && context.RequestWork(e->Index, (long)e->Value)) self._asked++;
        }

        if (context.TryTakeReply(out _, out var result)) self._reply = result;
        self._value++;
        for (var c = 0; c < context.Outputs[0].Channels; c++) new Span<float>(context.Out(0, c), context.Frames).Fill(self._value & 255);
        context.Telemetry[0] = self._value;
        context.Telemetry[1] = self._reply;
        context.Telemetry[2] = self._assetSum;
        context.Telemetry[3] = *self._shared;
        return ProcessResult.Continue;
    }

    public static int SaveState(ref Keeper self, Span<byte> state)
    {
        BitConverter.TryWriteBytes(state, self._value);
        BitConverter.TryWriteBytes(state[8..], 0x5A5A);
        return 12;
    }

    public static bool LoadState(ref Keeper self, uint version, ReadOnlySpan<byte> state)
    {
        if (version is < 1 or > 2 || state.Length != 12 || BitConverter.ToInt32(state[8..]) != 0x5A5A) return false;
        self._value = BitConverter.ToInt64(state) + (version == 1 ? 1000 : 0);
        return true;
    }

    public static void AssetChanged(ref Keeper self, int slot, Asset* asset)
    {
        self._assetSum = 0;
        for (var i = 0; asset != null && i < asset->Frames; i++) self._assetSum += Asset.Channel(asset, 0)[i];
    }

    public static void Work(ref Keeper self, ref WorkJob job) => job.Result = job.Argument * job.Kind;
}

/// <summary>Calls back from within the quantum.</summary>
internal unsafe struct Hook : IModule<Hook>
{
    public static Action? Inside;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "hook",
        Name = "Hook",
        Family = "Test",
        Text = "Calls the test back",
        Inputs = [new("in", "In")],
        Outputs = [new("out", "Out", Rule: ChannelRule.Fixed)],
    };

    public static void Construct(ref Hook self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Hook self) { }

    public static ProcessResult Process(ref Hook self, in ProcessContext context)
    {
        new Span<float>(context.Out(0), context.Frames).Clear();
        Inside?.Invoke();
        return ProcessResult.Continue;
    }
}

/// <summary>Leaves what is no number in all its outputs and says that it wrote none of them. Parameter: whether it fills those that are read.</summary>
internal unsafe struct Leaver : IModule<Leaver>
{
    public static ModuleDescriptor Describe() => new()
    {
        Id = "leaver",
        Name = "Leaver",
        Family = "Test",
        Text = "Leaves its outputs unwritten",
        Inputs = [new("in", "In"), new("in2", "In 2")],
        Outputs = [new("first", "First"), new("second", "Second")],
        Parameters = [new("fill", "Fill", "", 0, 1, 1, ParameterCurve.Stepped)],
    };

    public static void Construct(ref Leaver self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Leaver self) { }

    public static ProcessResult Process(ref Leaver self, in ProcessContext context)
    {
        for (var port = 0; port < 2; port++)
        {
            var fills = context.Outputs[port].Connected && context.Param(0) != 0;
            new Span<float>(context.Out(port), context.Outputs[port].Channels * context.Outputs[port].Stride).Fill(fills ? 3f : float.NaN);
            context.LeaveUnwritten(port);
        }

        return ProcessResult.Continue;
    }
}

internal static class TestRegistry
{
    public const int Blend = 0, Sleeper = 1, Wire = 2, Faulty = 3, Tick = 4, JackIn = 5, JackOut = 6, Keeper = 7, Hook = 8, Trap = 9, Held = 10, Leaver = 11;

    public static ModuleRegistry Make() => new ModuleRegistry()
        .Add<Blend>().Add<Sleeper>().Add<Wire>().Add<Faulty>().Add<Tick>().Add<JackIn>().Add<JackOut>().Add<Keeper>().Add<Hook>().Add<Containment.Trap>().Add<Containment.Held>().Add<Leaver>();
}
