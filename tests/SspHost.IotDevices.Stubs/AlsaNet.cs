// Alsa.Net: the mixer.
namespace Alsa.Net;

public class SoundDeviceSettings
{
    public string MixerDeviceName { get; set; } = "default";
}

public interface ISoundDevice : IDisposable
{
    long PlaybackVolume { get; set; }
}

public static class AlsaDeviceBuilder
{
    public static ISoundDevice Create(SoundDeviceSettings settings) => throw new NotSupportedException("The IoT packages are not in this build.");
}
