// A real region and renderer in this process, stepped by hand: what a live view is looked at with.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Modules;
using SspHost.Patching;

namespace SspHost.Tests;

internal sealed unsafe class SteppedEngine : IEngineSource, IDisposable
{
    public const int Rate = 48_000, Quantum = 32;
    private readonly Region _region;
    private readonly SlotMap _slots = new();
    private readonly float[] _silence = GC.AllocateArray<float>(Quantum, pinned: true);
    private ulong _serial;

    public SteppedEngine(long bytes = Region.MinBytes)
    {
        CycleClock.Calibrate(200_000);
        var registry = new ModuleRegistry();
        var register = new Register(registry);
        Catalog.VisitAll(ref register);
        Modules = new DescriptorIndex(registry.Descriptors);
        _region = Region.Create(bytes, DescriptorBlob.Write(registry.Descriptors), "test", out var error, locks: false) ?? throw new InvalidOperationException(error);
        Renderer = new Renderer(_region.Map, _region.Pool, registry, (float*)_region.Silence);
        Assert.Equal(ReplyStatus.Ok, Renderer.Configure(Rate, Quantum, threads: 1));
        _region.Map.Header->State = (uint)EngineState.Playing;

        // Only Attach is ever asked.
        var steward = new Thread(() =>
        {
            Request request;
            while (!_region.Map.Requests.TryPop(out request)) Thread.Sleep(1);
            Assert.True(_region.Map.Replies.TryPush(new Reply { Kind = request.Kind, Id = request.Id, Session = 1, A = 1 }));
        });
        steward.Start();
        Link = EngineLink.Over(_region.Map, () => false);
        steward.Join();
    }

    public Renderer Renderer { get; }

    public DescriptorIndex Modules { get; }

    public EngineLink? Link { get; set; }

    public int Generation { get; set; } = 1;

    public ulong Now { get; private set; } = 1_000_000_000;

    public ulong Frame { get; private set; }

    public RegionMap Map => _region.Map;

    public T Try<T>(Func<EngineLink, T> work, T otherwise) => Link is { } link ? work(link) : otherwise;

    public void Install(Patch patch)
    {
        var plan = PlanCompiler.Compile(patch, Modules, _slots, new CompileOptions { Serial = ++_serial }, out var error);
        Assert.True(plan is not null, error?.ToString());
        fixed (byte* blob = plan.Description.AsSpan()) Assert.Equal(ReplyStatus.Ok, Renderer.Install((PlanHeader*)blob, plan.Description.Length, out _));
        _slots.Installed(plan);
    }

    /// <summary>Plays so many quanta, and says how it stands.</summary>
    public void Play(int quanta)
    {
        fixed (float* silence = _silence)
        {
            var none = silence;
            for (var q = 0; q < quanta; q++)
            {
                Assert.True(Renderer.Render(&none, 0, &none, 0, Frame));
                Frame += Quantum;
                Now += Quantum * 1_000_000_000UL / Rate;
            }
        }

        Map.AudioStatus->Write(new AudioStatus
        {
            Quanta = Renderer.Quanta, Frames = Frame, PlanSerial = Renderer.PlanSerial, Time = Now, Rate = Rate, Quantum = Quantum, Outputs = 2, Window = Renderer.Window,
            Load = 0.25f, Dropouts = 3, Late = 4,
        });
    }

    public void Dispose()
    {
        Link?.Dispose();
        Renderer.Dispose();
        _region.Dispose();
    }

    private readonly struct Register(ModuleRegistry registry) : IModuleVisitor
    {
        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
