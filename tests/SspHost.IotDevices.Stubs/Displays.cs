// Iot.Device.Bindings 4.2.0: displays.
using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using System.Drawing;
using Iot.Device.Graphics;
using Iot.Device.Ssd13xx.Commands;

namespace Iot.Device.Graphics
{
    public abstract class GraphicDisplay : MarshalByRefObject, IDisposable
    {
        public abstract int ScreenWidth { get; }

        public abstract int ScreenHeight { get; }

        public virtual void ClearScreen() => throw new NotSupportedException();

        public void Dispose() => throw new NotSupportedException();
    }
}

namespace Iot.Device.Ssd13xx
{
    public abstract class Ssd13xx : GraphicDisplay
    {
        public override int ScreenWidth => throw new NotSupportedException();

        public override int ScreenHeight => throw new NotSupportedException();

        public abstract void SendCommand(ISharedCommand command);

        public virtual void SendData(Span<byte> data) => throw new NotSupportedException();
    }

    public class Ssd1306 : Ssd13xx
    {
        public Ssd1306(I2cDevice i2cDevice, int width, int height) => throw new NotSupportedException();

        public void SendCommand(ISsd1306Command command) => throw new NotSupportedException();

        public override void SendCommand(ISharedCommand command) => throw new NotSupportedException();
    }
}

namespace Iot.Device.Ssd13xx.Commands
{
    public interface ICommand
    {
        byte Id { get; }

        byte[] GetBytes();
    }

    public interface ISharedCommand : ICommand;

    public interface ISsd1306Command : ICommand;

    public class SetMultiplexRatio : ISharedCommand
    {
        public SetMultiplexRatio(byte multiplexRatio = 63) => throw new NotSupportedException();

        public byte Id => throw new NotSupportedException();

        public byte[] GetBytes() => throw new NotSupportedException();
    }
}

namespace Iot.Device.Ssd13xx.Commands.Ssd1306Commands
{
    public class SetComPinsHardwareConfiguration : ISsd1306Command
    {
        public SetComPinsHardwareConfiguration(bool alternativeComPinConfiguration = true, bool enableLeftRightRemap = false) => throw new NotSupportedException();

        public byte Id => throw new NotSupportedException();

        public byte[] GetBytes() => throw new NotSupportedException();
    }

    public class SetColumnAddress : ISsd1306Command
    {
        public SetColumnAddress(byte startAddress = 0x00, byte endAddress = 0x7F) => throw new NotSupportedException();

        public byte Id => throw new NotSupportedException();

        public byte[] GetBytes() => throw new NotSupportedException();
    }

    public enum PageAddress
    {
        Page0 = 0x00,
        Page7 = 0x07,
    }

    public class SetPageAddress : ISsd1306Command
    {
        public SetPageAddress(PageAddress startAddress = PageAddress.Page0, PageAddress endAddress = PageAddress.Page7) => throw new NotSupportedException();

        public byte Id => throw new NotSupportedException();

        public byte[] GetBytes() => throw new NotSupportedException();
    }
}

namespace Iot.Device.Ili934x
{
    public class Ili9341 : GraphicDisplay
    {
        public const int DefaultSpiClockFrequency = 12_000_000;

        public const SpiMode DefaultSpiMode = SpiMode.Mode3;

        public Ili9341(SpiDevice spiDevice, int dataCommandPin, int resetPin, int backlightPin = -1, int spiBufferSize = 4096, GpioController? gpioController = null, bool shouldDispose = true) => throw new NotSupportedException();

        public override int ScreenWidth => throw new NotSupportedException();

        public override int ScreenHeight => throw new NotSupportedException();

        public void SendBitmapPixelData(Span<byte> pixelData, Rectangle destinationRect) => throw new NotSupportedException();
    }

    public class Ili9342 : Ili9341
    {
        public Ili9342(SpiDevice spiDevice, int dataCommandPin, int resetPin, int backlightPin = -1, int spiBufferSize = 4096, GpioController? gpioController = null, bool shouldDispose = true)
            : base(spiDevice, dataCommandPin, resetPin, backlightPin, spiBufferSize, gpioController, shouldDispose)
        {
        }
    }
}
