// ssp-engine: makes the region, registers the modules, becomes the steward. Started by `ssp`; a person needs it for --describe and bench.
using System.Reflection;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;
using SspHost.Engine.Threads;
using SspHost.EngineHost;
using SspHost.EngineHost.Bench;

const string Usage = """
    usage: ssp-engine --runtime DIR [--region-mib N]   serve the region, write DIR/engine.json when ready
                      [--unlocked]                     and lock no memory: for experiments
                      [--owner PID]                    and end with the process that started it: for benchmarks and soaks
           ssp-engine --describe                       module descriptors as a binary blob on standard output
           ssp-engine bench memory|heap|graph|classes|sleep|wake|latency|modules|contain|samples|diagnostics [--json] [--pin LIST] [--figures FILE]
           ssp-engine probe FILE [NAME] | --lv2 FILE RATE QUANTUM  tries a library of modules or a plugin out, and says what is wrong with it
           ssp-engine survey FILE                          plays an LV2 plugin that `ssp module test --lv2` wrote down
           ssp-engine conform FILE [--json]                runs the conformance suite on a library of modules
           ssp-engine --version
    """;

var started = Linux.Now();
switch (args)
{
    case ["--version"]:
        Console.WriteLine(EngineVersion());
        return 0;
    case ["--describe"]:
        using (var output = Console.OpenStandardOutput()) output.Write(DescriptorBlob.Write(Modules.Register().Descriptors));
        return 0;
    case ["conform", .. var rest]:
        return Conform.Run(rest);
    case ["survey", .. var rest]:
        return Survey.Run(rest);
    case ["probe", .. var rest]:
        return Probe.Run(rest);
    case ["bench", .. var rest]:
        return Benches.Run(rest);
#if CHECKED
    case ["violate", .. var rest]:
        return SspHost.Violations.Violate.Run(rest);
#endif
    default:
        return Options.TryParse(args, out var options, out var error) ? Serve(options, started) : Fail(error + Environment.NewLine + Usage, 2);
}

static unsafe int Serve(Options options, ulong started)
{
    if (options.Owner != 0 && !ServiceProcess.EndWith(options.Owner)) return Fail($"process {options.Owner} did not start this one, or has ended", 1);
    ServiceProcess.Detach(Path.Combine(options.Runtime, "engine.log"));
    var terminate = ServiceProcess.WatchTermination();
    _ = CLibrary.UseOneArena(); // malloc arenas per thread would each reserve 64 MB of addresses
    CycleClock.Calibrate();
    var registry = Modules.Register();
    var region = Region.Create(options.RegionBytes, DescriptorBlob.Write(registry.Descriptors), EngineVersion(), out var error, locks: options.Locks);
    if (region == null) return Fail(error, 1);
    if (options.Locks) LockTheRest();
    region.Map.Header->StartedAt = started;
    using var awake = CpuLatency.Hold();
    var steward = new Steward(region, registry, terminate);
    Log.Line("ssp-engine: serving"u8);
    EngineFileWriter.Write(options.Runtime, region.Fd, EngineVersion());
    steward.Run();
    EngineFileWriter.Remove(options.Runtime);
    Log.Line("ssp-engine: left"u8);
    return 0;
}

// After the region, which is locked page by page: what the runtime holds besides, and the code itself.
static void LockTheRest()
{
    if (ImageLock.KeepWhatIsTouched() != 0) Log.Line("ssp-engine: the kernel does not let everything be locked (RLIMIT_MEMLOCK): code and region are locked as far as it goes"u8);
    ImageLock.Refresh();
}

static int Fail(string message, int code)
{
    Console.Error.WriteLine($"ssp-engine: {message}");
    return code;
}

static string EngineVersion() =>
    typeof(Options).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
