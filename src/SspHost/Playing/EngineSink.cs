// Where the patch session's plans go: into the engine, with the quantum that audio runs at and the recordings they name.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Supervision;

namespace SspHost.Playing;

/// <summary>
/// The session's view of the engine in a slot. Its methods come under the session's lock, one at a time; audio is started and
/// stopped from other threads, hence the lock here.
/// </summary>
internal sealed unsafe class EngineSink : IPlanSink
{
    private readonly EngineSlot _slot;
    private readonly DescriptorIndex _modules;
    private readonly Action<string> _say;
    private readonly Lock _lock = new();
    private readonly InstanceRecord[] _records = new InstanceRecord[Limits.MaxInstances];
    private readonly Dictionary<(ulong Key, int Slot), string> _loaded = [];
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);
    private int _loadedGeneration;
    private int _quantum = 32;
    private CompiledPlan? _installed;
    private WavPump? _pump;
    private uint _off; // DiagnosticFlags that somebody switched off
    private bool _moved;

    public EngineSink(EngineSlot slot, AudioSetup setup, DescriptorIndex modules, AssetFiles assets, Action<string> say) =>
        (_slot, Setup, _modules, Assets, _say) = (slot, setup, modules, assets, say);

    /// <summary>What audio runs on.</summary>
    public AudioSetup Setup { get; private set; }

    /// <summary>The rate in Hz that the device offered instead of ours when audio was last to be started; 0: none.</summary>
    public int OfferedRate { get; private set; }

    /// <summary>Where recordings are looked for.</summary>
    public AssetFiles Assets { get; }

    /// <summary>Where playing.json is kept; null: nowhere (render).</summary>
    public string? Runtime { get; init; }

    /// <summary>What plans are compiled with; null: no costs are known.</summary>
    public ModuleCosts? MeasuredCosts { get; init; }

    /// <summary>Whether the engine that plays times its modules; null: as it is.</summary>
    public bool? ModuleTimes { get; init; }

    /// <summary>While set, plans are taken and not installed.</summary>
    public bool Hold { get; set; }

    /// <summary>Makes the pump of a wav device over a link; null for other devices.</summary>
    public Func<EngineLink, WavPump>? MakePump { get; init; }

    /// <summary>Frames after which a stream card ends by itself; 0: never.</summary>
    public ulong Frames { get; set; }

    /// <summary>The pump that runs, if any.</summary>
    public WavPump? Pump => Volatile.Read(ref _pump);

    /// <summary>Told after each plan that went into the engine.</summary>
    public Action? Installed { get; set; }

    public int Inputs => Jacks(a => a.Inputs, Setup.Inputs);

    public int Outputs => Jacks(a => a.Outputs, Setup.Outputs);

    public ReadOnlySpan<InstanceRecord> Instances => _slot.Try(
        link =>
        {
            new ReadOnlySpan<InstanceRecord>(link.Map.Instances, Limits.MaxInstances).CopyTo(_records);
            return true;
        },
        otherwise: false) ? _records : default;

    public ReadOnlyMemory<float> Costs => MeasuredCosts?.For(_modules.Descriptors, Setup.Rate, Volatile.Read(ref _quantum), 0, _slot.Try(link => link.ReadCoreClasses(), [])) ?? default(ReadOnlyMemory<float>);

    public IReadOnlyList<ReadOnlyMemory<float>> SlowCosts
    {
        get
        {
            var classes = _slot.Try(link => link.ReadCoreClasses(), []);
            if (MeasuredCosts is not { } measured || classes.Count < 2) return [];
            var quantum = Volatile.Read(ref _quantum);
            return [.. Enumerable.Range(1, classes.Count - 1).Select(c => (ReadOnlyMemory<float>)measured.For(_modules.Descriptors, Setup.Rate, quantum, c, classes))];
        }
    }

    public PlayState State => _slot.Try(
        link => IsPlaying(link) && link.TryAudio(out var a) && a.Rate != 0
            ? new PlayState(Running: true, a.PlanSerial, a.Settled != 0, a.Frames, a.Rate)
            : default,
        default);

    public int QuantumFor(int quantum) => Setup.QuantumFor(quantum);

    public PlanRefusal? Install(CompiledPlan plan)
    {
        if (Hold) return null;
        var fits = true;
        long missing = 0;
        lock (_lock)
        {
            var error = Guarded(link =>
            {
                try
                {
                    return InstallOn(link, plan);
                }
                catch (EngineRefusedException e) when (e.Status == ReplyStatus.OutOfMemory)
                {
                    fits = false;
                    missing = e.Missing;
                    throw;
                }
            });
            return error is null ? null : new PlanRefusal(error, !fits, missing);
        }
    }

    public bool Send(in ModuleEvent move)
    {
        var copy = move;
        if (!_slot.Try(link => link.Push(in copy), otherwise: false)) return false;
        if (_moved) return true;
        _moved = true;
        Forget();
        return true;
    }

    public string? SetAsset(in PlanAsset asset)
    {
        var copy = asset;
        lock (_lock) return Guarded(link => SetAssetOn(link, in copy));
    }

    public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state)
    {
        var (slot, key, bytes) = (instance.Slot, instance.Key, state.ToArray());
        return Guarded(link =>
        {
            link.LoadState(slot, key, bytes, version);
            return null;
        });
    }

    public byte[]? SaveState(in PlanInstance instance, out uint version)
    {
        var (slot, key, type) = (instance.Slot, instance.Key, instance.Type);
        version = 0;
        var types = _modules.Descriptors;
        if ((uint)type >= (uint)types.Count || types[type].StateBytes == 0) return null;
        (byte[] State, uint Version) saved = default;
        var error = Guarded(link =>
        {
            saved = link.SaveState(slot, key, types[type].StateBytes);
            return null;
        });
        if (error != null) return null;
        version = saved.Version;
        return saved.State;
    }

    /// <summary>Switches a module on again that the engine had switched off; null or why not.</summary>
    public string? Restore(string module) => Guarded(link =>
    {
        var (name, found) = (Cut(module), false);
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var record = link.Map.Instances[slot];
            if (record.State != InstanceState.Active || !string.Equals(InstanceTimes.NameOf(in record), name, StringComparison.Ordinal)) continue;
            found = true;
            if (record.Shed == ShedReason.None) continue; // one of that name that leaves may be meant, or that comes
            try
            {
                link.RestoreModule(slot, record.Key);
                return null;
            }
            catch (EngineRefusedException e) when (e.Status == ReplyStatus.WrongState)
            {
                return $"a thread is still stuck in '{module}'";
            }
        }

        return found ? $"'{module}' is not switched off" : $"no module '{module}' plays";
    });

    // As the engine has it: names are cut to fit.
    private static string Cut(string name)
    {
        var bytes = new byte[InstanceRecord.NameBytes - 1];
        System.Text.Encoding.UTF8.GetEncoder().Convert(name, bytes, flush: true, out _, out var used, out _);
        return System.Text.Encoding.UTF8.GetString(bytes, 0, used);
    }

    /// <summary>Starts audio for the plan that is set; null or why not.</summary>
    public string? StartAudio()
    {
        lock (_lock) return Guarded(StartOn);
    }

    /// <summary>Fades out and stops; null or why not. Nothing to do is no error.</summary>
    public string? StopAudio(int fadeFrames)
    {
        lock (_lock) return Guarded(link => StopOn(link, fadeFrames));
    }

    /// <summary>The engine is another one: nothing is loaded in it.</summary>
    public void Renew()
    {
        lock (_lock)
        {
            _installed = null;
            _loaded.Clear();
            EndPump();
        }
    }

    /// <summary>Stops audio and takes up another rate; the patch is then to be installed anew. Null or why not.</summary>
    public string? UseRate(int rate)
    {
        lock (_lock)
        {
            if (Guarded(link => StopOn(link, FadeFrames)) is { } error) return error;
            Setup = Setup with { Rate = rate };
            _loaded.Clear(); // every instance is made anew for another rate
            OfferedRate = 0;
            return null;
        }
    }

    /// <summary>Stops audio and takes up another setup; the patch is then to be installed anew. Null or why not.</summary>
    public string? UseSetup(AudioSetup setup)
    {
        lock (_lock)
        {
            if (Guarded(link => StopOn(link, FadeFrames)) is { } error) return error;
            Setup = setup;
            _loaded.Clear(); // as for another rate, which it may have
            OfferedRate = 0;
            return null;
        }
    }

    /// <summary>Sets a jack's line, where audio plays from the next quantum on; null: nobody has calibrated it.</summary>
    public void SetLine(Jack jack, JackLine? line)
    {
        lock (_lock)
        {
            var lines = Setup.Calibration.ToDictionary();
            if (line is { } l) lines[jack] = l;
            else lines.Remove(jack);
            Setup = Setup with { Calibration = lines };
            _slot.Try(
                link =>
                {
                    var now = Setup.EngineLineOf(jack);
                    link.Map.Jacks->SetLine(jack.Side == JackSide.Out, jack.Number - 1, now.FullScale, now.Zero);
                    return true;
                },
                otherwise: false);
        }
    }

    /// <summary>Ends the pump of a wav device, finishing its file. Call after audio stopped.</summary>
    public void EndPump()
    {
        var pump = Interlocked.Exchange(ref _pump, null);
        if (pump == null) return;
        pump.Dispose();
        if (pump.Failure is { } failure) _say("recording: " + failure.Message);
    }

    private static bool IsPlaying(EngineLink link) => link.State is EngineState.Playing;

    private int Jacks(Func<AudioStatus, int> which, int otherwise) =>
        _slot.Try(link => IsPlaying(link) && link.TryAudio(out var a) && a.Rate != 0 ? which(a) : otherwise, otherwise);

    private string? Guarded(Func<EngineLink, string?> work)
    {
        try
        {
            return _slot.Use(work);
        }
        catch (Exception e) when (e is EngineRefusedException or EngineGoneException or EngineTimeoutException or InvalidDataException or IOException)
        {
            return e.Message;
        }
    }

    private string? InstallOn(EngineLink link, CompiledPlan plan)
    {
        var quantum = Setup.QuantumFor(plan.Quantum);
        var description = Describe(plan, quantum);
        var playing = IsPlaying(link) && link.TryAudio(out var audio) && audio.Rate != 0;
        var same = playing && link.TryAudio(out audio) && audio.Quantum == quantum;
        foreach (var warning in plan.Warnings)
            if (_said.Add(warning)) _say(warning);

        var hash = PlayingFile.HashOf(description);
        if (same && PlaysAlready(link, hash))
        {
            foreach (var asset in plan.Assets)
                if (asset.Path is { } path) _loaded[(asset.Key, asset.AssetSlot)] = path;
            _loadedGeneration = _slot.Generation;
            (_installed, _quantum) = (plan, quantum);
            return null;
        }

        // A quantum is a property of the audio that runs: another one means stopping and starting it, faded.
        if (playing && !same) _ = StopOn(link, FadeFrames);
        try
        {
            Put(link, plan, description, quantum);
        }
        catch (EngineRefusedException) when (quantum != _quantum && _installed is not null)
        {
            // For another quantum the engine gave up what it had: that comes back, and plays on.
            Put(link, _installed, Describe(_installed, _quantum), _quantum);
            if (playing && StartOn(link) is { } silent) _say(silent);
            throw;
        }

        if (playing && !same && StartOn(link) is { } why) return why;
        Remember(link, plan.Serial, hash);
        Installed?.Invoke();
        return null;
    }

    private static byte[] Describe(CompiledPlan plan, int quantum)
    {
        var description = plan.Description.AsSpan().ToArray();
        fixed (byte* start = description) ((PlanHeader*)start)->Quantum = quantum;
        return description;
    }

    private void Put(EngineLink link, CompiledPlan plan, byte[] description, int quantum)
    {
        link.InstallPlan(description, Setup.Rate);
        if (_loadedGeneration != _slot.Generation || quantum != _quantum || plan == _installed) _loaded.Clear(); // every instance was made anew
        _loadedGeneration = _slot.Generation;
        (_installed, _quantum) = (plan, quantum);

        // An instance that went took its recordings with it; one that comes back is a new one.
        var alive = plan.Instances.Concat(plan.Leaving).Select(i => i.Key).ToHashSet();
        foreach (var gone in _loaded.Keys.Where(k => !alive.Contains(k.Key)).ToArray()) _loaded.Remove(gone);
        foreach (var asset in plan.Assets)
        {
            if (_loaded.GetValueOrDefault((asset.Key, asset.AssetSlot)) == asset.Path) continue;
            if (SetAssetOn(link, in asset) is { } error) _say(error); // the patch plays without it
        }
    }

    /// <summary>Frames of a fade: 100 ms.</summary>
    public int FadeFrames => Setup.Rate / 10;

    private string? StartOn(EngineLink link)
    {
        if (IsPlaying(link))
        {
            SwitchTimes(link);
            return null;
        }

        EndPump();
        var config = Setup.ToConfig(_quantum);
        config.Frames = Frames;
        OfferedRate = 0;
        var pump = MakePump?.Invoke(link);
        pump?.Configure(ref config);
        try
        {
            link.StartAudio(in config);
        }
        catch (EngineRefusedException e) when (e.Part == BadPart.Rate && Setup.Card == CardKind.Alsa)
        {
            OfferedRate = Settings.CheckNumber("rate", e.Index) == null ? e.Index : 0;
            return $"alsa:{Setup.AlsaName}: the device does not run at {Setup.Rate} Hz, only at {e.Index} Hz";
        }
        catch (EngineRefusedException e) when (e.Status == ReplyStatus.DeviceFailed && Setup.Card == CardKind.Alsa)
        {
            pump?.Dispose();
            return $"alsa:{Setup.AlsaName}: {e.Message}";
        }
        catch
        {
            pump?.Dispose();
            throw;
        }

        pump?.Start();
        Volatile.Write(ref _pump, pump);
        SwitchTimes(link);
        return null;
    }

    /// <summary>What the engine keeps of itself; <see cref="ModuleTimes"/> null: as the engine has it.</summary>
    public DiagnosticFlags Diagnostics => (ModuleTimes == true ? DiagnosticFlags.Usual : DiagnosticFlags.Trace) & ~(DiagnosticFlags)Volatile.Read(ref _off);

    /// <summary>Switches tracing, and tracing of modules; null leaves one as it is. Null, or why it cannot be.</summary>
    public string? SwitchTracing(bool? trace, bool? modules)
    {
        if (modules == true && ModuleTimes != true) return "modules are not traced while they are not timed: \"moduleTimes\" is off in ssp.json";
        if (trace is { } t) Set(DiagnosticFlags.Trace, t);
        if (modules is { } m) Set(DiagnosticFlags.ModuleTrace, m);
        try
        {
            _slot.Try(
                link =>
                {
                    link.SetDiagnostics(Diagnostics);
                    return true;
                },
                otherwise: false);
            return null; // an engine that comes later gets it, too
        }
        catch (Exception e) when (e is EngineRefusedException or EngineTimeoutException or EngineGoneException)
        {
            return e.Message;
        }

        void Set(DiagnosticFlags flag, bool on) => Volatile.Write(ref _off, on ? _off & ~(uint)flag : _off | (uint)flag);
    }

    private void SwitchTimes(EngineLink link)
    {
        if (ModuleTimes is null) return;
        try
        {
            link.SetDiagnostics(Diagnostics);
        }
        catch (EngineRefusedException e)
        {
            _say("modules are not timed: " + e.Message); // it plays all the same
        }
    }

    private string? StopOn(EngineLink link, int fadeFrames)
    {
        if (link.State is EngineState.Playing or EngineState.DeviceLost) link.StopAudio(fadeFrames);
        EndPump();
        return null;
    }

    private string? SetAssetOn(EngineLink link, in PlanAsset asset)
    {
        var where = $"{asset.Module}: ";
        try
        {
            if (asset.Path is not { } path)
            {
                if (_loaded.Remove((asset.Key, asset.AssetSlot))) link.SetAsset(asset.Slot, asset.Key, asset.AssetSlot, null);
                return null;
            }

            using var upload = AssetFiles.Upload(link, Assets.Resolve(path), warning => _say(where + warning));
            link.SetAsset(asset.Slot, asset.Key, asset.AssetSlot, upload.Block);
            _loaded[(asset.Key, asset.AssetSlot)] = path;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or EngineRefusedException)
        {
            return where + e.Message;
        }
    }

    private bool PlaysAlready(EngineLink link, ulong hash) =>
        Runtime != null && link.Process is { } process && link.TryAudio(out var audio)
        && PlayingFile.TryRead(Runtime) is { } file && file.Pid == process.Pid && file.Hash == hash && file.Serial == audio.PlanSerial
        && file.Start == EngineProcess.StartTimeOf(file.Pid);

    private void Remember(EngineLink link, ulong serial, ulong hash)
    {
        _moved = false;
        if (Runtime == null || link.Process is not { } process) return;
        try
        {
            new PlayingFile(process.Pid, EngineProcess.StartTimeOf(process.Pid), serial, hash).Write(Runtime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _say("the next control process will install the patch again: " + e.Message);
        }
    }

    private void Forget()
    {
        if (Runtime == null) return;
        try
        {
            PlayingFile.Forget(Runtime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _moved = false; // tried again with the next move
        }
    }
}
