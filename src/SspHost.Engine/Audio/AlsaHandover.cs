// Where a dead device goes to the steward to be closed, and one that is back comes from.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// One place for one device, at a fixed address of the region. It belongs to one thread at a time: whose turn it is, is published with
/// release and read with acquire, so that the device's own fields need no more. [audio-thread] and [steward] as marked.
/// </summary>
internal unsafe struct AlsaHandover
{
    private AlsaDevice _device;
    private int _turn;
    private int _otherRate;

    private enum Turn
    {
        /// <summary>The card plays: nothing is here. The audio thread's.</summary>
        Playing,

        /// <summary>A dead device is here. The steward's.</summary>
        Left,

        /// <summary>It was closed, and is looked for. The steward's.</summary>
        Sought,

        /// <summary>A device that plays is here. The audio thread's.</summary>
        Offered,
    }

    /// <summary>Whether a device is here to be restarted. [audio-thread]</summary>
    internal bool IsOffered => (Turn)Volatile.Read(ref _turn) == Turn.Offered;

    /// <summary>Whether a device is to be looked for. [steward]</summary>
    internal bool IsSought => (Turn)Volatile.Read(ref _turn) == Turn.Sought;

    /// <summary>Hz at which the device is back, if that is not what was played at; 0: not so. [any thread]</summary>
    internal int OtherRate => Volatile.Read(ref _otherRate);

    /// <summary>Lets go of a device that failed: <paramref name="device"/> is closed afterwards, as far as its owner can tell. [audio-thread]</summary>
    internal void Leave(ref AlsaDevice device)
    {
        _device = device;
        device = default;
        Pass(Turn.Left);
    }

    /// <summary>
    /// Starts the device that is offered; 0 and it is the caller's in <paramref name="device"/>, or -errno and it is left like the one
    /// before. [audio-thread]
    /// </summary>
    internal int TryTake(out AlsaDevice device, out ulong startedAt)
    {
        var error = _device.Restart(out startedAt);
        device = error < 0 ? default : _device;
        if (error >= 0) _device = default;
        Pass(error < 0 ? Turn.Left : Turn.Playing);
        return error;
    }

    /// <summary>Closes a device that was left; false if there is none. [steward]</summary>
    internal bool CloseLeft()
    {
        if ((Turn)Volatile.Read(ref _turn) != Turn.Left) return false;
        _device.Close();
        Volatile.Write(ref _otherRate, 0);
        Pass(Turn.Sought);
        return true;
    }

    /// <summary>Hands over a device that is back. [steward, while it is sought]</summary>
    internal void Offer(in AlsaDevice device)
    {
        _device = device;
        _device.Touch();
        Volatile.Write(ref _otherRate, 0);
        Pass(Turn.Offered);
    }

    /// <summary>The device is back at a rate that cannot be played at. [steward, while it is sought]</summary>
    internal void TellOtherRate(int rate) => Volatile.Write(ref _otherRate, rate);

    /// <summary>Closes whatever is here. [steward, after the audio thread has ended]</summary>
    internal void Close()
    {
        _device.Close();
        Pass(Turn.Playing);
    }

    private void Pass(Turn turn) => Volatile.Write(ref _turn, (int)turn);
}
