// What a change must sound like, told naively: modules and cables by identity, each with its gain, played one after the other.
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>Plays patches without plans: nothing is compiled, shared, reused, counted or run in parallel.</summary>
internal sealed unsafe class Reference : IDisposable
{
    private readonly ReferenceWorld _world;
    private readonly DescriptorIndex _modules;
    private readonly Func<string, nint> _recordings;
    private readonly List<(ReferenceModule Module, int Parameter, float Value)> _planned = [], _moves = []; // a plan's come first
    private readonly Dictionary<(string Patch, string Module, string Type), (uint Version, byte[] State)> _shelf = [];
    private List<ReferenceModule> _present = []; // those of the patch in its order, then those that leave
    private List<ReferenceCable> _cables = []; // those of the patch in its order, then those that leave
    private List<ReferenceLine> _lines = [];
    private ReferenceModule[] _order = [];
    private Dictionary<ReferenceModule, int[]> _alone = []; // output channels of the patch by itself
    private Patch? _patch;
    private int _own;

    public Reference(ModuleRegistry registry, DescriptorIndex modules, int rate, int quantum, int jacks, Func<string, nint> recordings)
    {
        _world = new ReferenceWorld(registry, rate, quantum, jacks);
        _modules = modules;
        _recordings = recordings;
    }

    /// <summary>Jacks, a quantum each.</summary>
    public float*[] In => _world.JackIn;

    /// <inheritdoc cref="In"/>
    public float*[] Out => _world.JackOut;

    public ulong Time { get; private set; }

    /// <summary>Outputs that failed the check.</summary>
    public int BadOutputs { get; private set; }

    /// <summary>Modules that play and are in no patch.</summary>
    public IEnumerable<ulong> Leaving => _present.Skip(_own).Select(m => m.Key);

    /// <summary>Their names in the patch.</summary>
    public IEnumerable<string> LeavingNames => _present.Skip(_own).Select(m => m.Patched.Id.ToString());

    public IEnumerable<ulong> Own => _present.Take(_own).Select(m => m.Key);

    /// <summary>Whether no gain is on its way.</summary>
    public bool Rests =>
        _cables.TrueForAll(c => c.Ramp.Rests(_world.FadeFrames) && c.Ramp.To == c.Gain)
        && _lines.TrueForAll(l => l.Ramp.Rests(_world.FadeFrames) && l.Ramp.To == l.Gain);

    /// <summary>Whether the patch has not come in full, because what comes and what leaves close a loop.</summary>
    public bool Waits { get; private set; }

    /// <summary>Modules in the order in which they are played, and the lines to the jacks.</summary>
    public IReadOnlyList<ReferenceModule> Order => _order;

    /// <inheritdoc cref="Order"/>
    public IReadOnlyList<ReferenceLine> Lines => _lines;

    /// <summary>Modules that ring out by themselves.</summary>
    public int Tails => _present.Count(m => m.Tail);

    /// <summary>Whether there is nothing but the patch.</summary>
    public bool IsPlain => !Waits && _present.Count == _own && _cables.TrueForAll(c => c.Gain != 0 || InPatch(c));

    /// <summary>Looks how far tails have come; as often as the session does.</summary>
    public void LookAtTails(bool settled, ulong frames)
    {
        foreach (var m in _present)
        {
            if (!m.Tail) continue;
            if (frames >= m.Until) m.TailIsOver = true;
            if (!settled) continue;
            m.SleptAtFirst ??= m.Slept;
            m.TailIsOver |= m.Slept > m.SleptAtFirst;
        }
    }

    /// <summary>From the next quantum on this patch is to be heard.</summary>
    /// <param name="patch">The patch.</param>
    /// <param name="replaced">Whether a whole patch was put in place of another, be it the same.</param>
    /// <param name="settled">Whether what the last change set going has arrived.</param>
    /// <param name="frames">Frames played.</param>
    public void Change(Patch patch, bool replaced, bool settled, ulong frames)
    {
        var first = _patch is null;
        var before = _patch ?? patch;
        ForgetStates(before, patch, replaced);
        var present = _present.ToDictionary(m => m.Key);
        var target = Modules(patch, present);
        Shelve(before, target);
        var coming = Cables(patch, target);
        var leaving = Leave(target, settled, ringOut: before.Id != patch.Id);
        Ring(leaving);

        var all = new List<ReferenceModule>(target);
        all.AddRange(leaving);
        var cables = Join(coming, leaving, present, settled, first, withComing: true);
        Waits = Sort(all, cables) is null;
        if (Waits) cables = Join(coming, leaving, present, settled, first, withComing: false);
        _order = Sort(all, cables) ?? throw new InvalidOperationException("a loop without a delay");
        _lines = JoinLines(LinesOf(target), leaving, settled, first);

        foreach (var gone in _present.Where(m => !all.Contains(m)))
        {
            _moves.RemoveAll(m => m.Module == gone);
            gone.Dispose();
        }

        (_present, _own, _cables, _patch) = (all, target.Count, cables, patch);
        foreach (var m in leaving.Where(m => m.Tail && m.Until is null))
        {
            var most = 20L * _world.Rate;
            m.Until = frames + (ulong)(m.TailFrames < 0 ? most : Math.Min(most, m.TailFrames + (_world.Rate / 10)));
        }

        Connect();
    }

    /// <summary>A parameter moves.</summary>
    public void Move(uint key, int parameter, float value)
    {
        if (_present.Find(m => (uint)m.Key == key) is { } m) _moves.Add((m, parameter, value));
    }

    public byte[] SaveState(ulong key) => Find(key).SaveState();

    public bool LoadState(ulong key, uint version, ReadOnlySpan<byte> state)
    {
        if (_patch is not null && Find(key) is { Leaves: false } m) _ = _shelf.Remove((_patch.Id, m.Patched.Id, m.Patched.Type));
        return Find(key).LoadState(version, state);
    }

    public void SetAsset(ulong key, int slot, string? path) => Find(key).SetAsset(slot, path is null ? null : (Asset*)_recordings(path));

    /// <summary>Does what modules asked to be done off the audio threads.</summary>
    public void Work()
    {
        foreach (var m in _present) m.Work();
    }

    /// <summary>Where a parameter of the patch is going, and what the patch says.</summary>
    public string? WrongParameter(Patch patch)
    {
        for (var i = 0; i < _own; i++)
        {
            _present[i].Patched = patch.Modules[i];
            for (var p = 0; p < _present[i].Parameters; p++)
            {
                if (_present[i].Going(p) != _present[i].Wanted(p)) return $"{patch.Modules[i].Id}, parameter {p}: {_present[i].Going(p)} where the patch has {_present[i].Wanted(p)}";
            }
        }

        return null;
    }

    /// <summary>One quantum.</summary>
    public void Quantum()
    {
        foreach (var c in _cables)
        {
            if (c.Ramp.To != c.Gain) c.Ramp.Aim(c.Gain, _world.Shape, _world.FadeFrames);
        }

        foreach (var l in _lines)
        {
            if (l.Ramp.To != l.Gain) l.Ramp.Aim(l.Gain, _world.Shape, _world.FadeFrames);
        }

        foreach (var (module, parameter, value) in _planned) module.Move(parameter, value);
        foreach (var (module, parameter, value) in _moves) module.Move(parameter, value);
        _planned.Clear();
        _moves.Clear();
        foreach (var m in _order) m.Run(Time);
        foreach (var m in _order)
        {
            if (!m.Failed) continue;
            m.Recover(Time);
            BadOutputs++;
        }

        var frames = _world.Quantum;
        foreach (var m in _order)
        {
            for (var o = 0; o < m.LineChannels.Length; o++)
                if (m.LineChannels[o] > 0) new Span<float>(m.Out[o], m.LineChannels[o] * frames).CopyTo(new Span<float>(m.Line[o], m.LineChannels[o] * frames));
        }

        foreach (var jack in _world.JackOut) new Span<float>(jack, frames).Clear();
        foreach (var l in _lines)
        {
            var to = _world.JackOut[l.Jack];
            var from = l.Module.Out[l.Port] + (l.Channel * frames);
            if (l.Ramp.Rests(_world.FadeFrames))
            {
                for (var i = 0; i < frames; i++) to[i] += from[i] * l.Ramp.To;
                continue;
            }

            var span = l.Ramp.To - l.Ramp.From;
            for (var i = 0; i < frames; i++) to[i] += from[i] * (l.Ramp.From + (span * _world.Shape[l.Ramp.Age + i]));
            l.Ramp.Age += frames;
        }

        Time += (ulong)frames;
    }

    public void Dispose()
    {
        foreach (var m in _present) m.Dispose();
        _present.Clear();
        _world.Dispose();
    }

    private ReferenceModule Find(ulong key) => _present.Find(m => m.Key == key) ?? throw new InvalidOperationException($"no module {key:x}");

    private bool InPatch(ReferenceCable cable) =>
        _patch!.Cables.Any(c => !cable.From.Leaves && !cable.To.Leaves && c.From.Module == cable.From.Patched.Id && c.To.Module == cable.To.Patched.Id
            && cable.From.Type.Output(c.From.Port) == cable.FromPort && cable.To.Type.Input(c.To.Port) == cable.ToPort);

    // An edit that brings a state of its own makes a shelved one old.
    private void ForgetStates(Patch before, Patch after, bool replaced)
    {
        foreach (var m in after.Modules)
        {
            if (replaced || (before.Id == after.Id && before.Find(m.Id) is { } was && was.State != m.State)) _shelf.Remove((after.Id, m.Id, m.Type));
        }
    }

    private List<ReferenceModule> Modules(Patch patch, Dictionary<ulong, ReferenceModule> present)
    {
        var target = new List<ReferenceModule>(patch.Modules.Length);
        foreach (var m in patch.Modules)
        {
            var type = _modules.Find(m.Type)!;
            var settings = type.Descriptor.Settings.Select(s => m.Settings.TryGet(s.Id, out var value) ? value : s.Default).ToArray();
            var key = PlanKey.Of(patch.Id, m.Id, m.Type, settings);
            if (!present.TryGetValue(key, out var module))
            {
                var (version, state) = _shelf.TryGetValue((patch.Id, m.Id, m.Type), out var kept) ? kept : (m.Version, m.State.Bytes.ToArray());
                module = new ReferenceModule(_world, key, m, type, settings, state, version);
            }
            else
            {
                module.Patched = m;
                for (var p = 0; p < module.Parameters; p++)
                {
                    // A plan moves what the patch changed since the last plan, not what a hand has turned.
                    if (module.Planned[p] == module.Wanted(p)) continue;
                    module.Planned[p] = module.Wanted(p);
                    _planned.Add((module, p, module.Planned[p]));
                }
            }

            target.Add(module);
        }

        return target;
    }

    private void Shelve(Patch before, List<ReferenceModule> target)
    {
        for (var i = 0; i < _own; i++)
        {
            var m = _present[i];
            if (m.Type.Descriptor.StateBytes == 0 || target.Contains(m)) continue;
            _shelf[(before.Id, m.Patched.Id, m.Patched.Type)] = (m.Type.Descriptor.Version, m.SaveState());
        }
    }

    private List<ReferenceModule> Leave(List<ReferenceModule> target, bool settled, bool ringOut)
    {
        var stays = target.ToHashSet();
        var leaving = new List<ReferenceModule>();
        foreach (var m in _present)
        {
            if (stays.Contains(m)) continue;
            if (m.Leaves && settled && !m.Rings) continue; // its ramps have ended: nobody hears it any more
            m.Tail = m.Leaves ? m.Tail && !m.TailIsOver : ringOut && m.Type.Descriptor.HasTail && !m.Patched.Bypass;
            m.Leaves = true;
            leaving.Add(m);
        }

        foreach (var m in target) m.Leaves = m.Tail = false;
        foreach (var m in target.Concat(leaving))
        {
            m.Rings = false;
            if (m.Tail) continue;
            m.Until = m.SleptAtFirst = null;
            m.TailIsOver = false;
        }

        return leaving;
    }

    // A tail is heard through what carries it, but for what sounds by itself.
    private void Ring(List<ReferenceModule> leaving)
    {
        foreach (var m in leaving.Where(m => m.Tail)) m.Rings = true;
        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var c in _cables)
            {
                if (!c.From.Rings || c.Gain == 0 || !c.To.Leaves || c.To.Rings || !leaving.Contains(c.To)) continue;
                if (c.To.Type.Descriptor.Family is "Sources" or "Modulation") continue;
                c.To.Rings = grew = true;
            }
        }
    }

    private List<ReferenceCable> Cables(Patch patch, List<ReferenceModule> target)
    {
        var index = target.Select((m, i) => (m.Patched.Id, i)).ToDictionary(p => p.Id, p => p.i);
        var ends = patch.Cables.Select(c =>
        {
            var (from, to) = (target[index[c.From.Module]], target[index[c.To.Module]]);
            return (From: from, FromPort: from.Type.Output(c.From.Port), To: to, ToPort: to.Type.Input(c.To.Port));
        }).ToArray();
        var channels = Channels(target, [.. ends.Select(e => (e.From, e.FromPort, e.To, e.ToPort, 0))], []);
        _alone = target.ToDictionary(m => m, m => channels[m].Out);
        return [.. ends.Select((e, i) => new ReferenceCable(e.From, e.FromPort, e.To, e.ToPort, patch.Cables[i].Delayed, channels[e.From].Out[e.FromPort])
        {
            Gain = patch.Cables[i].Gain,
        })];
    }

    private List<ReferenceLine> LinesOf(List<ReferenceModule> target)
    {
        var lines = new List<ReferenceLine>();
        foreach (var m in target)
        {
            var number = 0;
            for (var p = 0; p < m.Out.Length; p++)
            {
                if (m.Type.Descriptor.Outputs[p].Kind != PortKind.Device) continue;
                var jack = m.FirstJack + number++;
                if (jack < 0 || jack >= _world.JackOut.Length) continue;
                for (var c = 0; c < _alone[m][p]; c++) lines.Add(new ReferenceLine(m, p, c, jack) { Gain = 1 });
            }
        }

        return lines;
    }

    private List<ReferenceCable> Join(
        List<ReferenceCable> target, List<ReferenceModule> leaving, Dictionary<ulong, ReferenceModule> present,
        bool settled, bool first, bool withComing)
    {
        var playing = _cables.ToDictionary(Identity);
        var cables = new List<ReferenceCable>();
        foreach (var c in target)
        {
            if (playing.Remove(Identity(c), out var now))
            {
                now.NextGain = c.Gain;
                cables.Add(now);
                continue;
            }

            if (!withComing) continue;
            c.NextGain = c.Gain;
            c.Ramp = ReferenceGain.Resting(!first && present.ContainsKey(c.To.Key) ? 0 : c.Gain);
            cables.Add(c);
        }

        foreach (var c in _cables)
        {
            if (!playing.ContainsKey(Identity(c)) || (settled && c.Gain == 0)) continue;
            if ((c.From.Leaves && !leaving.Contains(c.From)) || (c.To.Leaves && !leaving.Contains(c.To))) continue;
            var stays = (c.To.Leaves && !c.To.Rings) || (c.From.Leaves && c.From.Rings);
            c.NextGain = stays ? c.Gain : 0;
            cables.Add(c);
        }

        return cables;
    }

    private List<ReferenceLine> JoinLines(List<ReferenceLine> target, List<ReferenceModule> leaving, bool settled, bool first)
    {
        var playing = _lines.ToDictionary(l => (l.Module, l.Port, l.Channel, l.Jack));
        var lines = new List<ReferenceLine>();
        foreach (var l in target)
        {
            if (playing.Remove((l.Module, l.Port, l.Channel, l.Jack), out var now))
            {
                now.Gain = l.Gain;
                lines.Add(now);
                continue;
            }

            if (Waits) continue;
            l.Ramp = ReferenceGain.Resting(first ? 1 : 0);
            lines.Add(l);
        }

        foreach (var l in _lines)
        {
            if (!playing.ContainsKey((l.Module, l.Port, l.Channel, l.Jack)) || (settled && l.Gain == 0)) continue;
            if (l.Module.Leaves && !leaving.Contains(l.Module)) continue;
            l.Gain = l.Module.Rings ? l.Gain : 0;
            lines.Add(l);
        }

        return lines;
    }

    private static (ulong, int, ulong, int, bool, int) Identity(ReferenceCable c) => (c.From.Key, c.FromPort, c.To.Key, c.ToPort, c.Delayed, c.Channels);

    // Modules in an order in which each comes after those it hears; null where there is a loop.
    private static ReferenceModule[]? Sort(List<ReferenceModule> modules, List<ReferenceCable> cables)
    {
        var order = new List<ReferenceModule>(modules.Count);
        var state = modules.ToDictionary(m => m, _ => 0);
        var into = cables.Where(c => !c.Delayed).ToLookup(c => c.To);
        return modules.TrueForAll(Visit) ? [.. order] : null;

        bool Visit(ReferenceModule m)
        {
            if (state[m] != 0) return state[m] == 2;
            state[m] = 1;
            foreach (var c in into[m])
                if (!Visit(c.From)) return false;
            state[m] = 2;
            order.Add(m);
            return true;
        }
    }

    // The least channels that satisfy every rule: grown from one until nothing grows.
    private static Dictionary<ReferenceModule, (int[] In, int[] Out)> Channels(
        List<ReferenceModule> modules, List<(ReferenceModule From, int FromPort, ReferenceModule To, int ToPort, int Carries)> cables, List<ReferenceLine> lines)
    {
        var channels = modules.ToDictionary(m => m, m => (In: Enumerable.Repeat(1, m.InChannels.Length).ToArray(), Out: Enumerable.Repeat(1, m.OutChannels.Length).ToArray()));
        foreach (var m in modules)
        {
            for (var o = 0; o < m.OutChannels.Length; o++) channels[m].Out[o] = Given(m, m.Type.Descriptor.Outputs[o], 1);
        }

        foreach (var (from, port, _, _, carries) in cables) channels[from].Out[port] = Math.Max(channels[from].Out[port], carries);
        foreach (var l in lines) channels[l.Module].Out[l.Port] = Math.Max(channels[l.Module].Out[l.Port], l.Channel + 1);
        foreach (var m in modules)
        {
            var follow = Enumerable.Range(0, m.OutChannels.Length).Where(o => m.Type.Descriptor.Outputs[o].Rule == ChannelRule.Follow).ToList();
            foreach (var o in follow) channels[m].Out[o] = follow.Max(f => channels[m].Out[f]);
        }

        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var (from, fromPort, to, toPort, carries) in cables)
            {
                var most = Given(to, to.Type.Descriptor.Inputs[toPort], Limits.MaxChannels);
                var wide = Math.Min(most, carries > 0 ? carries : channels[from].Out[fromPort]);
                if (wide <= channels[to].In[toPort]) continue;
                channels[to].In[toPort] = wide;
                grew = true;
                if (to.Type.Descriptor.Inputs[toPort].Rule != ChannelRule.Follow) continue;
                for (var o = 0; o < to.OutChannels.Length; o++)
                    if (to.Type.Descriptor.Outputs[o].Rule == ChannelRule.Follow) channels[to].Out[o] = Math.Max(channels[to].Out[o], wide);
            }
        }

        return channels;
    }

    private static int Given(ReferenceModule m, PortDescriptor port, int follow) => port.Rule switch
    {
        ChannelRule.Fixed => Math.Clamp((int)port.Channels, 1, Limits.MaxChannels),
        ChannelRule.Setting => Math.Clamp(m.Settings[port.Channels], 1, Limits.MaxChannels),
        _ => follow,
    };

    // Tells each module what ends at it, how wide it is, who hears it, and whether somebody hears it late.
    private void Connect()
    {
        foreach (var c in _cables) c.Gain = c.NextGain;
        var channels = Channels(_present, [.. _cables.Select(c => (c.From, c.FromPort, c.To, c.ToPort, c.Channels))], _lines);
        var ends = _cables.ToLookup(c => (c.To, c.ToPort));
        var late = _cables.Where(c => c.Delayed).Select(c => (c.From, c.FromPort)).ToHashSet();
        var read = _cables.Select(c => (c.From, c.FromPort)).Concat(_lines.Select(l => (l.Module, l.Port))).ToHashSet();
        foreach (var m in _present)
        {
            for (var i = 0; i < m.Cables.Length; i++) m.Cables[i] = [.. ends[(m, i)]];
            channels[m].In.CopyTo(m.InChannels, 0);
            channels[m].Out.CopyTo(m.OutChannels, 0);
            m.OutRead = new bool[m.Out.Length];
            for (var o = 0; o < m.Out.Length; o++)
            {
                m.OutRead[o] = read.Contains((m, o));
                var wide = late.Contains((m, o)) ? m.OutChannels[o] : 0;
                if (wide > m.LineChannels[o])
                    new Span<float>(m.Line[o] + (m.LineChannels[o] * _world.Quantum), (wide - m.LineChannels[o]) * _world.Quantum).Clear();
                m.LineChannels[o] = wide;
            }
        }
    }
}
