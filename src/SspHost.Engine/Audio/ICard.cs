// What the audio loop needs of a sound card, real or not.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>A card as it runs, which may differ from what was asked.</summary>
public struct CardFacts
{
    /// <summary>Sample rate in Hz.</summary>
    public int Rate;

    /// <summary>Frames between two wake-ups, and how many such periods the buffer holds.</summary>
    public int Period, Periods;

    /// <summary>Frames of the buffer: the latency from a captured frame to the played one that answers it.</summary>
    public int BufferFrames;

    /// <summary>Jacks in each direction.</summary>
    public int Inputs, Outputs;

    /// <summary>Whether somebody hears it as time passes: only then can a quantum be late.</summary>
    public bool RealTime;

    /// <summary>Whether it waits for a peer that may take its time: standing still is then no fault of the card.</summary>
    public bool PeerPaced;

    /// <summary>Whether it says by itself that it is away, standing still included: then nobody else judges that.</summary>
    public bool Returns;
}

/// <summary>How a wait ended.</summary>
public enum CardState
{
    /// <summary>At least a quantum can be rendered.</summary>
    Ready,

    /// <summary>Frames were lost; <see cref="ICard.Recover"/> is due.</summary>
    XRun,

    /// <summary>Nothing within the time.</summary>
    TimedOut,

    /// <summary>The card ended by itself: the recording is over.</summary>
    Ended,

    /// <summary>The card is gone or broken, and nobody looks for it.</summary>
    Lost,

    /// <summary>
    /// The card is not there now and may come back. Until then it counts on by the clock: so many frames are available, captured as
    /// silence, taken and dropped.
    /// </summary>
    Away,
}

/// <summary>Result of a wait.</summary>
public struct CardWait
{
    public CardState State;

    /// <summary>Frames that can be rendered now.</summary>
    public int Available;

    /// <summary>
    /// CLOCK_MONOTONIC in ns (or the virtual clock) when the card first had a quantum to render: from there a wake-up is late.
    /// </summary>
    public ulong ReadyAt;

    /// <summary>
    /// The card's frame count at <see cref="ReadyAt"/>, by which ReadyAt is judged; 0: the card cannot tell (it has just been restarted).
    /// </summary>
    public ulong ReadyFrame;

    /// <summary>ns of this wait during which the card's own clock stood still for a peer; ReadyAt has moved by as much.</summary>
    public ulong StoodStill;

    /// <summary>An errno where <see cref="State"/> is Lost.</summary>
    public int Error;

    /// <summary>
    /// Frames by which capture was moved to stay with playback since the last wait, where the two have clocks of their own: skipped if
    /// positive, repeated if negative.
    /// </summary>
    public int Slipped;

    /// <summary>Hz at which an absent card is there again, where it cannot be played on at that rate; else 0.</summary>
    public int OtherRate;

    /// <summary>Frames of the whole recording where <see cref="State"/> is Ended.</summary>
    public ulong Frames;
}

/// <summary>How a recovery ended.</summary>
public struct CardRecovery
{
    /// <summary>Ready: it runs again. Away: it is not there (any more). Lost: see <see cref="Error"/>.</summary>
    public CardState State;

    /// <summary>Frames skipped by the clock: captured by nobody, never rendered. Counted where the card is away, too.</summary>
    public long Skipped;

    /// <summary>Whether the card stopped though it had something to play, be it the silence of its start: then it is not our fault.</summary>
    public bool Early;

    /// <summary>
    /// Frames taken by <see cref="ICard.Play"/> that the converter will never play, because the card stopped with them in hand. Known at the
    /// latest when it runs again.
    /// </summary>
    public long Unplayed;

    /// <summary>An errno.</summary>
    public int Error;
}

/// <summary>
/// A card: an unmanaged struct in memory of the region, called directly through a type parameter. Everything but Facts runs on the audio
/// thread. Time on a card is one count of frames: frame f is captured when the card's pointer passes f, and played BufferFrames later.
/// Lost frames
/// are skipped on both sides, so that the latency never grows.
/// </summary>
public unsafe interface ICard
{
    /// <summary>The card as it runs. All but the rate may have changed when a card that was away runs again.</summary>
    CardFacts Facts { get; }

    /// <summary>The clock by which everything about this card is measured, in ns.</summary>
    ulong Now();

    /// <summary>Fills the buffer with silence and starts. 0 or an errno.</summary>
    int Start();

    /// <summary>
    /// Waits until a quantum can be rendered, at most <paramref name="timeoutNs"/>. An absent card says Away, never XRun, each time it is
    /// asked and as soon as a quantum's time has passed; once it is back it says XRun, and <see cref="Recover"/> sets it going.
    /// </summary>
    CardWait Wait(int quantum, ulong timeoutNs);

    /// <summary>The next frames of each input, in volts. At most as many as are available.</summary>
    void Capture(float** inputs, int frames);

    /// <summary>
    /// Hands over the next frames of each output, in volts. XRun: they came too late and were not taken; Away: taken and dropped; Lost: see
    /// <see cref="Error"/>; else Ready.
    /// </summary>
    CardState Play(float** outputs, int frames);

    /// <summary>
    /// Goes on after an xrun with a full buffer of silence ahead, at the frame the clock says. What is heard as silence are the frames skipped
    /// and those unplayed.
    /// </summary>
    CardRecovery Recover();

    /// <summary>Why it is Away, or <see cref="Play"/> said Lost: an errno; 0 where that is not known.</summary>
    int Error { get; }

    /// <summary>The jacks have other lines between volts and samples from here on. What is no possible line is left as it was.</summary>
    void Rescale(JackBench* lines);

    /// <summary>Stops; what is still in the buffer is not played.</summary>
    void Stop();
}
