// A device that is away and may come back: looked for by the steward a few times a second, because opening one allocates and locks.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Service;

/// <summary>
/// What was played on, and when to look again. The audio thread plays on unheard meanwhile; what was found reaches it through an
/// <see cref="AlsaHandover"/>.
/// </summary>
internal unsafe struct DeviceReturn
{
    private const ulong Millisecond = 1_000_000;
    private const ulong Interval = 200 * Millisecond, LongestInterval = 3200 * Millisecond;
    private const ulong Steady = 5000 * Millisecond; // a device that stays this long is back, one that does not is tried less and less often

    private AudioConfig _config;
    private ulong _nextLook, _interval, _backAt;

    /// <param name="config">How it was started.</param>
    public DeviceReturn(in AudioConfig config) => _config = config;

    /// <summary>Closes a device that has died, looks for it now and then, and hands it over once it is found.</summary>
    public void Look(AlsaHandover* handover, ulong now)
    {
        if (handover->CloseLeft())
        {
            _interval = _backAt != 0 && now - _backAt < Steady ? Math.Min(LongestInterval, 2 * _interval) : Interval;
            _nextLook = now + _interval;
        }

        if (!handover->IsSought || now < _nextLook) return;
        _nextLook = now + _interval;
        var config = _config;
        if (AlsaDevice.Open(&config, -1, out var device, out _) != 0) return;
        if (device.Facts.Rate != _config.Rate)
        {
            device.Close();
            handover->TellOtherRate(device.Facts.Rate);
            return;
        }

        _backAt = now;
        handover->Offer(in device);
    }
}
