// What the audio loop needs of whoever renders.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Renders quanta: an unmanaged struct in memory of the region, called directly through a type parameter. [audio-thread]
/// </summary>
public unsafe interface IQuantum
{
    /// <summary>
    /// Renders one quantum, in volts; every frame of every output is written. Buffers hold a quantum each and are 64-byte aligned.
    /// </summary>
    /// <param name="inputs">One buffer per input jack.</param>
    /// <param name="inputCount">Input jacks.</param>
    /// <param name="outputs">One buffer per output jack.</param>
    /// <param name="outputCount">Output jacks.</param>
    /// <param name="frame">Number of the first frame on the card's clock; it jumps by the frames lost in a dropout.</param>
    /// <returns>
    /// False: the calling thread was stuck and has been replaced. It must touch nothing more; another goes on with <see cref="Resume"/>.
    /// </returns>
    bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame);

    /// <summary>The rest of a quantum that another thread began and is stuck in, with the same arguments.</summary>
    bool Resume(float** inputs, int inputCount, float** outputs, int outputCount);

    /// <summary>Hears after each quantum of a card that keeps time whether it took longer than it lasts.</summary>
    void Judge(bool late);

    /// <summary>
    /// Fills in what the renderer knows (plan serial, bad outputs, dropped events, its quantum counter if it keeps one); after each
    /// wake-up.
    /// </summary>
    void Report(ref AudioStatus status);

    /// <summary>The module that took longest in the last quantum, where module times are on. After a quantum that was late.</summary>
    Culprit Culprit();
}
