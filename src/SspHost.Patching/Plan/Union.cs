// Two patches in one plan: what leaves, what comes, what stays, each at its gain.
namespace SspHost.Patching;

/// <summary>
/// Composes what plays and what is to play. A module that both have runs once and keeps its state. A cable that comes starts at nothing, one
/// that goes ends there; a module that comes has its own inputs whole from the first, or a pitch would glide up to its note; a module that
/// goes keeps them to the last for the same reason, while its outputs are faded. One that rings out is the reverse: its inputs are faded, and
/// its outputs stay, as do the modules that carry them to the jacks.
/// </summary>
internal sealed class Union
{
    private readonly Wiring _playing, _target;
    private readonly bool _settled;
    private readonly Dictionary<ulong, int> _targetModules = [], _playingModules = [];
    private readonly HashSet<ulong> _targetGains = [];
    private readonly Dictionary<ulong, WiredCable> _playingCables = [];
    private readonly List<int> _leaving = []; // modules of the playing wiring
    private int[] _place = []; // playing module to its index in the union, or -1
    private bool[] _rings = [], _tails = []; // by playing module

    private Union(Wiring playing, bool settled, Wiring target) => (_playing, _settled, _target) = (playing, settled, target);

    /// <param name="playing">What plays.</param>
    /// <param name="settled">Whether its ramps have ended: what left has left.</param>
    /// <param name="target">What is to play.</param>
    /// <param name="ringOut">Whether modules that leave now play out their tails.</param>
    /// <param name="isOver">Whether the tail of a leaving module, by key, is over.</param>
    public static Wiring Compose(Wiring playing, bool settled, Wiring target, bool ringOut, Func<ulong, bool> isOver)
    {
        var u = new Union(playing, settled, target);
        u.Index();
        u.Leave(ringOut, isOver);
        return u.Join(withComing: true) ?? u.Join(withComing: false)!;
    }

    private void Index()
    {
        for (var i = 0; i < _target.Modules.Length; i++) _targetModules[_target.Modules[i].Key] = i;
        for (var i = 0; i < _playing.Modules.Length; i++) _playingModules[_playing.Modules[i].Key] = i;
        foreach (ref readonly var c in _target.Cables.AsSpan()) _targetGains.Add(c.Id);
        foreach (ref readonly var l in _target.Lines.AsSpan()) _targetGains.Add(l.Id);
        foreach (ref readonly var c in _playing.Cables.AsSpan()) _playingCables[c.Id] = c;
    }

    private void Leave(bool ringOut, Func<ulong, bool> isOver)
    {
        var count = _playing.Modules.Length;
        _place = new int[count];
        _rings = new bool[count];
        _tails = new bool[count];
        for (var i = 0; i < count; i++)
        {
            var m = _playing.Modules[i];
            _place[i] = _targetModules.GetValueOrDefault(m.Key, -1);
            if (_place[i] >= 0) continue;
            var left = i >= _playing.Own;
            if (left && _settled && !_playing.Rings[i]) continue; // faded: it can go
            _place[i] = _target.Own + _leaving.Count;
            _leaving.Add(i);
            _tails[i] = left ? _playing.Tails[i] && !isOver(m.Key) : ringOut && m.Type.Descriptor.HasTail && !m.Module.Bypass;
        }

        // Whatever carries a tail to the jacks rings, too.
        var open = new Stack<int>();
        for (var i = 0; i < count; i++)
        {
            if (!_tails[i]) continue;
            _rings[i] = true;
            open.Push(i);
        }

        while (open.TryPop(out var at))
        {
            foreach (ref readonly var c in _playing.Cables.AsSpan())
            {
                if (c.From != at || c.Gain == 0 || _place[c.To] < _target.Own || _rings[c.To] || SoundsByItself(_playing.Modules[c.To])) continue;
                _rings[c.To] = true;
                open.Push(c.To);
            }
        }
    }

    // An oscillator that an echo modulates would play on by itself; it does not pass the echo on.
    private static bool SoundsByItself(WiredModule module) => module.Type.Descriptor.Family is "Sources" or "Modulation";

    // Null where what leaves and what comes close a loop.
    private Wiring? Join(bool withComing)
    {
        var union = new Wiring
        {
            Own = _target.Own,
            Quantum = _target.Quantum,
            Warnings = _target.Warnings,
            Modules = [.. _target.Modules, .. _leaving.Select(i => _playing.Modules[i])],
            Rings = new bool[_target.Own + _leaving.Count],
            Tails = new bool[_target.Own + _leaving.Count],
            Waits = !withComing,
        };
        foreach (var i in _leaving)
        {
            union.Rings[_place[i]] = _rings[i];
            union.Tails[_place[i]] = _tails[i];
        }

        union.Plain = withComing && _leaving.Count == 0;
        Cables(union, withComing);
        Lines(union, withComing);
        if (union.Plain)
        {
            union.Graph = _target.Graph;
            union.Channels = _target.Channels;
            return union;
        }

        union.Graph = PlanGraph.TryBuild(union);
        if (union.Graph is null && withComing) return null;
        return union;
    }

    private void Cables(Wiring union, bool withComing)
    {
        var cables = new List<WiredCable>(_target.Cables.Length + 8);
        foreach (var c in _target.Cables)
        {
            var cable = c;
            if (_playingCables.TryGetValue(c.Id, out var now))
            {
                cable.Ramps = now.Gain != c.Gain || (now.Ramps && !_settled);
            }
            else
            {
                if (!withComing) continue;
                if (_playingModules.ContainsKey(_target.Modules[c.To].Key)) cable.Start = 0;
                cable.Ramps = cable.Start != cable.Gain;
            }

            union.Plain &= !cable.Ramps;
            cables.Add(cable);
        }

        foreach (var c in _playing.Cables)
        {
            if (_targetGains.Contains(c.Id) || _place[c.From] < 0 || _place[c.To] < 0 || (_settled && c.Gain == 0)) continue;
            var (fromLeaves, toLeaves) = (_place[c.From] >= _target.Own, _place[c.To] >= _target.Own);
            var stays = (toLeaves && !_rings[c.To]) || (fromLeaves && _rings[c.From]);
            var cable = c;
            cable.From = _place[c.From];
            cable.To = _place[c.To];
            cable.Gain = stays ? c.Gain : 0;
            cable.Start = c.Gain;
            cable.Ramps = cable.Gain != c.Gain || (c.Ramps && !_settled);
            union.Plain = false;
            cables.Add(cable);
        }

        union.Cables = [.. cables];
    }

    private void Lines(Wiring union, bool withComing)
    {
        var playing = new Dictionary<ulong, float>(_playing.Lines.Length);
        foreach (ref readonly var l in _playing.Lines.AsSpan()) playing[l.Id] = l.Gain;
        var lines = new List<WiredLine>(_target.Lines.Length + 8);
        foreach (var l in _target.Lines)
        {
            var line = l;
            if (!playing.TryGetValue(l.Id, out var now))
            {
                if (!withComing) continue;
                line.Start = now = 0;
            }

            union.Plain &= now == l.Gain;
            lines.Add(line);
        }

        foreach (var l in _playing.Lines)
        {
            if (_targetGains.Contains(l.Id) || _place[l.Module] < 0 || (_settled && l.Gain == 0)) continue;
            var line = l;
            line.Module = _place[l.Module];
            line.Start = l.Gain;
            line.Gain = _rings[l.Module] ? l.Gain : 0;
            union.Plain = false;
            lines.Add(line);
        }

        union.Lines = [.. lines];
    }
}
