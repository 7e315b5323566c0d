// Which controller was moved last: for learning. Tells one of 14 bits from two of seven by what it sends.
using SspHost.Abi;
using SspHost.Panel;

namespace SspHost.Playing;

/// <summary>
/// A controller below 32 that is followed at once by the one 32 above on the same channel has 14 bits. Until that is clear the move is kept back, so
/// that nobody learns half of it. Bank select, (N)RPN and channel mode messages are no controllers to be learnt. Not thread-safe, but for
/// <see cref="Last"/>.
/// </summary>
internal sealed class MidiLearn
{
    /// <summary>ns within which the lower half follows.</summary>
    public const ulong Follows = 20_000_000;

    private const int Fine = MidiLimits.FineControllers, ChannelMode = 120;

    private readonly HashSet<(ulong Port, int Channel, int Number)> _fine = [];
    private readonly Dictionary<(ulong Port, int Channel, int Number), float> _upper = [];
    private Move _last = new(default);
    private (Heard Heard, string Port)? _kept;
    private ulong _serial;

    // A reader gets a whole move: the reference changes at once.
    private sealed record Move(ControllerMove Value);

    /// <summary>The move that was heard last. [any thread]</summary>
    public ControllerMove Last => Volatile.Read(ref _last).Value;

    /// <summary>A controller's message (<see cref="HeardKind.Controller"/>) of a port of this name.</summary>
    public void Hear(in Heard h, string port)
    {
        int number = h.Number;
        if (number is 0 or 32 or >= 98 and <= 101 or >= ChannelMode) return;
        if (number is >= Fine and < 2 * Fine && Lower(h, port, number - Fine)) return;
        Release(); // another one: what was kept back has no lower half
        if (number < Fine)
        {
            _upper[(h.Port, h.Channel, number)] = h.Value;
            _kept = (h, port);
            return;
        }

        Publish(h, port, number, fine: false, h.Value / 127f);
    }

    /// <summary>Time passes: what nothing followed is a controller of seven bits.</summary>
    public void Tend(ulong now)
    {
        if (_kept is { } kept && now - Math.Min(now, kept.Heard.Time) >= Follows) Release();
    }

    private bool Lower(in Heard h, string port, int number)
    {
        var key = (h.Port, (int)h.Channel, number);
        var follows = _kept is { } kept && kept.Heard.Port == h.Port && kept.Heard.Channel == h.Channel && kept.Heard.Number == number
            && h.Time - Math.Min(h.Time, kept.Heard.Time) < Follows;
        if (!follows && !_fine.Contains(key)) return false;
        _kept = null;
        _fine.Add(key);
        var upper = _upper.GetValueOrDefault(key);
        Publish(h, port, number, fine: true, ((upper * 128f) + h.Value) / 16383f);
        return true;
    }

    private void Release()
    {
        if (_kept is not { } kept) return;
        _kept = null;
        _fine.Remove((kept.Heard.Port, kept.Heard.Channel, kept.Heard.Number));
        Publish(kept.Heard, kept.Port, kept.Heard.Number, fine: false, kept.Heard.Value / 127f);
    }

    private void Publish(in Heard h, string port, int number, bool fine, float value) =>
        Volatile.Write(ref _last, new Move(new ControllerMove(++_serial, port, h.Channel + 1, number, fine, value)));
}
