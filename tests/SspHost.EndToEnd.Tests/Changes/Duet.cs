// Product and reference side by side: the same edits, the same quanta, every sample compared.
using SspHost.Abi;
using SspHost.Engine.Threads;
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>A difference that may not be.</summary>
internal sealed class OracleException(string message) : Exception(message);

internal sealed unsafe class Duet : IDisposable
{
    /// <summary>-120 dB below full scale, which is 5 V.</summary>
    public const double Tolerance = 1e-6 * 5;

    private readonly Stack<Patch> _undo = new(), _redo = new();
    private Patch? _next;
    private bool _replaced;
    private int _gestures;
    private bool _gestureOpen;

    public Duet(Patch start, ChainOptions? options = null)
    {
        _ = FlushToZero.Enable();
        var o = options ?? new ChainOptions();
        Rate = (ulong)o.Rate;
        Chain = new Chain(o);
        Reference = new Reference(Chain.Registry, Chain.Modules, o.Rate, o.Quantum, Chain.Jacks, Recordings.Of);
        Chain.Coming = Coming;
        Chain.Step = Quantum;
        Chain.Sent = e => Reference.Move(e.Target, e.Index, e.Value);
        Chain.AssetSet = (key, slot, path) => Reference.SetAsset(key, slot, path);
        Chain.StateSaved = (key, bytes) =>
        {
            if (!bytes.AsSpan().SequenceEqual(Reference.SaveState(key))) throw new OracleException($"the state of {key:x} is not what the reference has");
        };
        Chain.StateLoaded = (key, version, bytes, ok) =>
        {
            if (Reference.LoadState(key, version, bytes) != ok) throw new OracleException("a state was taken here and not there");
        };
        Session = PatchSession.Start(new PatchSessionOptions { Modules = Chain.Modules, Sink = Chain, Start = start });
        _next = start;
        Chain.Begin();
        if (Session.Reinstall(newEngine: true) is { } error) throw new OracleException(error.ToString());
    }

    public ulong Rate { get; }
    public Chain Chain { get; }
    public Reference Reference { get; }
    public PatchSession Session { get; }

    /// <summary>Largest difference so far, in volts, and largest sample.</summary>
    public double Worst { get; private set; }

    public double Loudest { get; private set; }
    public long Quanta { get; private set; }

    /// <summary>Quanta in which something was heard, and those with a gain on its way; changes that had to wait for what leaves; most tails at once.</summary>
    public long Audible { get; private set; }

    public long Moving { get; private set; }

    public int Waits { get; private set; }

    public int Tails { get; private set; }

    /// <summary>Whether every sample is compared.</summary>
    public bool Compares { get; set; } = true;

    /// <summary>Told of each quantum after it was compared.</summary>
    public Action? Heard { get; set; }

    /// <summary>Fills the input jacks; by default a different sound in each.</summary>
    public Action<int, Span<float>, ulong>? Play { get; set; } = Sounds;

    /// <summary>Applies edits as one; false where the session refuses them.</summary>
    public bool Apply(params Edit[] edits)
    {
        var before = Session.Current;
        var after = before;
        _replaced = false;
        foreach (var e in edits)
        {
            _replaced |= e is ReplacePatch;
            after = PatchEdits.Apply(after, e, Chain.Modules, out _);
            if (after is null) break;
        }

        _next = after;
        Chain.Begin();
        var error = Session.Apply(edits);
        if ((error is null) != (after is not null)) throw new OracleException($"the session says {error?.ToString() ?? "yes"}");
        if (after is null || (!_replaced && after.Equals(before))) return after is not null;
        if (_gestures == 0 || !_gestureOpen)
        {
            _undo.Push(before);
            _redo.Clear();
            _gestureOpen = _gestures > 0;
        }

        Same(after);
        return true;
    }

    public bool Undo() => Travel(_undo, _redo, Session.Undo);

    public bool Redo() => Travel(_redo, _undo, Session.Redo);

    public void BeginGesture()
    {
        if (_gestures++ == 0) _gestureOpen = false;
        Session.BeginGesture();
    }

    public void EndGesture()
    {
        if (_gestures == 0) return;
        if (--_gestures == 0) _gestureOpen = false;
        Session.EndGesture();
    }

    public void Pump()
    {
        _next = Session.Current;
        _replaced = false;
        Chain.Begin();
        var now = Chain.Now;
        if (now.Settled && !Reference.Rests) throw new OracleException("the engine says that every ramp has ended, and one has not");
        Reference.LookAtTails(now.Settled, now.Frames);
        if (Session.Pump() is { } trouble) throw new OracleException(trouble);
    }

    public void Quantum()
    {
        for (var j = 0; j < Chain.Jacks; j++)
        {
            var input = Chain.In(j);
            Play?.Invoke(j, input, Chain.Frames);
            input.CopyTo(new Span<float>(Reference.In[j], Chain.Quantum));
        }

        Chain.Render();
        Reference.Quantum();
        Quanta++;
        Moving += Reference.Rests ? 0 : 1;
        if (Compares) Compare();
        Heard?.Invoke();
        Chain.Tend();
        Reference.Work();
    }

    public void Run(int quanta)
    {
        for (var q = 0; q < quanta; q++) Quantum();
    }

    /// <summary>Plays on, pumping, until nothing comes or goes any more. False if that takes longer than the longest tail and its ramps.</summary>
    public bool Settle()
    {
        for (var end = Chain.Frames + (21UL * Rate); Chain.Frames < end;)
        {
            if (Session.IsSettled) return true;
            Quantum();
            if (Quanta % 8 == 0) Pump();
        }

        return Session.IsSettled;
    }

    /// <summary>Every parameter is on its way to what the patch says. Call after a quantum.</summary>
    public void CheckParameters()
    {
        if (Reference.WrongParameter(Session.Current) is { } wrong) throw new OracleException(wrong);
    }

    public void Dispose()
    {
        Session.Dispose();
        Chain.Dispose();
        Reference.Dispose();
        _ = FlushToZero.Disable();
    }

    private static void Sounds(int jack, Span<float> into, ulong frame)
    {
        for (var i = 0; i < into.Length; i++) into[i] = (float)(3 * Math.Sin((frame + (ulong)i) * (0.011 + (0.007 * jack))));
    }

    private bool Travel(Stack<Patch> from, Stack<Patch> to, Func<PatchError?> go)
    {
        _next = from.Count > 0 ? from.Peek() : null;
        _replaced = false;
        var before = Session.Current;
        Chain.Begin();
        var error = go();
        if ((error is null) != (_next is not null)) throw new OracleException($"undo: {error}");
        if (_next is null) return false;
        _ = from.Pop();
        to.Push(before);
        _gestureOpen = false;
        Same(_next);
        return true;
    }

    private void Same(Patch expected)
    {
        if (!Session.Current.Equals(expected)) throw new OracleException("the session's patch is not what the edits make");
    }

    private void Coming(CompiledPlan plan, PlayState now)
    {
        Reference.LookAtTails(now.Settled, now.Frames);
        Reference.Change(_next!, _replaced, now.Settled, now.Frames);
        Waits += Reference.Waits ? 1 : 0;
        Tails = Math.Max(Tails, Reference.Tails);
        if (!plan.Instances.Select(i => i.Key).SequenceEqual(Reference.Own)) throw new OracleException("the plan plays other modules than the patch has");
        if (!plan.Leaving.Select(i => i.Key).SequenceEqual(Reference.Leaving))
        {
            throw new OracleException(
                $"the plan lets [{string.Join(' ', plan.Leaving.Select(i => i.Module))}] leave, the reference [{string.Join(' ', Reference.LeavingNames)}]");
        }
    }

    private void Compare()
    {
        var peak = 0f;
        for (var j = 0; j < Chain.Jacks; j++)
        {
            var heard = Chain.Out(j);
            for (var i = 0; i < heard.Length; i++)
            {
                var off = Math.Abs((double)heard[i] - Reference.Out[j][i]);
                peak = Math.Max(peak, Math.Abs(heard[i]));
                if (off <= Worst) continue;
                Worst = off;
                if (!(off <= Tolerance))
                    throw new OracleException($"quantum {Quanta}, jack {j}, frame {i}: {heard[i]:G9} V where the reference has {Reference.Out[j][i]:G9} V");
            }
        }

        Loudest = Math.Max(Loudest, peak);
        Audible += peak > 0.001f ? 1 : 0;
    }
}
