// System.Device.Gpio 4.2.0: I2C and SPI.
namespace System.Device.I2c
{
    public sealed class I2cConnectionSettings
    {
        public I2cConnectionSettings(int busId, int deviceAddress) => throw new NotSupportedException("The IoT packages are not in this build.");
    }

    public abstract class I2cDevice : IDisposable
    {
        public static I2cDevice Create(I2cConnectionSettings settings) => throw new NotSupportedException();

        public void Dispose() => throw new NotSupportedException();
    }
}

namespace System.Device.Spi
{
    public enum SpiMode
    {
        Mode0,
        Mode1,
        Mode2,
        Mode3,
    }

    public sealed class SpiConnectionSettings
    {
        public SpiConnectionSettings(int busId, int chipSelectLine = -1) => throw new NotSupportedException("The IoT packages are not in this build.");

        public SpiMode Mode { get; set; }

        public int ClockFrequency { get; set; }
    }

    public abstract class SpiDevice : IDisposable
    {
        public static SpiDevice Create(SpiConnectionSettings settings) => throw new NotSupportedException();

        public void Dispose() => throw new NotSupportedException();
    }
}
