// Displays of Iot.Device.Bindings: the bindings start them and set windows, the pixels are ours.
using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using System.Drawing;
using Iot.Device.Ili934x;
using Iot.Device.Ssd13xx;
using Iot.Device.Ssd13xx.Commands;
using Iot.Device.Ssd13xx.Commands.Ssd1306Commands;
using SspHost.Board;
using I2cDevice = System.Device.I2c.I2cDevice;

namespace SspHost.IotDevices;

internal static class Displays
{
    public static ISmallDisplay Open(IotDisplay d)
    {
        if (d.Chip == IotChip.Ssd1306)
        {
            var name = FormattableString.Invariant($"ssd1306 /dev/i2c-{d.Bus}, 0x{d.Address:x2}");
            return new Mono(new Unpainted(I2cDevice.Create(new I2cConnectionSettings(d.Bus, d.Address)), Mono.Columns, d.Rows), d.Rows, name);
        }

        var spi = SpiDevice.Create(new SpiConnectionSettings(d.Bus, d.ChipSelect) { ClockFrequency = Ili9341.DefaultSpiClockFrequency, Mode = Ili9341.DefaultSpiMode });
        var pins = new GpioController(); // ended by the display
        return new Colour(
            d.Chip == IotChip.Ili9341 ? new Ili9341(spi, d.DataCommand, d.Reset, gpioController: pins) : new Ili9342(spi, d.DataCommand, d.Reset, gpioController: pins),
            FormattableString.Invariant($"{d.Chip.ToString().ToLowerInvariant()} /dev/spidev{d.Bus}.{d.ChipSelect}"));
    }

    // The binding clears the screen by a picture, which without a factory of pictures throws; what is sent first is the whole screen anyway.
    private sealed class Unpainted(I2cDevice device, int width, int height) : Ssd1306(device, width, height)
    {
        public override void ClearScreen()
        {
        }
    }

    private sealed class Mono : ISmallDisplay
    {
        public const int Columns = 128;

        private const int PageRows = 8;

        private readonly Ssd1306 _display;

        public Mono(Ssd1306 display, int rows, string name)
        {
            (_display, Height, Name) = (display, rows, name);
            // The binding starts every display as one of 32 rows.
            if (rows == 32) return;
            display.SendCommand(new SetMultiplexRatio((byte)(rows - 1)));
            display.SendCommand(new SetComPinsHardwareConfiguration(alternativeComPinConfiguration: true));
        }

        public string Name { get; }

        public int Width => Columns;

        public int Height { get; }

        public bool IsMono => true;

        public void Send(Span<byte> pixels, int row, int rows)
        {
            _display.SendCommand(new SetColumnAddress());
            _display.SendCommand(new SetPageAddress((PageAddress)(row / PageRows), (PageAddress)((row + rows) / PageRows - 1)));
            _display.SendData(pixels);
        }

        public void Dispose() => _display.Dispose();
    }

    private sealed class Colour(Ili9341 display, string name) : ISmallDisplay
    {
        public string Name => name;

        public int Width => display.ScreenWidth;

        public int Height => display.ScreenHeight;

        public bool IsMono => false;

        public void Send(Span<byte> pixels, int row, int rows) => display.SendBitmapPixelData(pixels, new Rectangle(0, row, Width, rows));

        public void Dispose() => display.Dispose();
    }
}
