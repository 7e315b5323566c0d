// Iot.Device.Bindings 4.2.0: port expanders.
using System.Device.Gpio;
using System.Device.I2c;

namespace Iot.Device.Mcp23xxx
{
    public enum Register : byte
    {
        IODIR = 0x00,
        GPPU = 0x06,
        GPIO = 0x09,
    }

    public abstract class Mcp23xxx : GpioDriver;

    public abstract class Mcp23x1x : Mcp23xxx
    {
        public ushort ReadUInt16(Register register) => throw new NotSupportedException();

        public void WriteUInt16(Register register, ushort value) => throw new NotSupportedException();
    }

    public class Mcp23017 : Mcp23x1x
    {
        public Mcp23017(I2cDevice i2cDevice, int reset = -1, int interruptA = -1, int interruptB = -1, GpioController? controller = null, bool shouldDispose = true) => throw new NotSupportedException();
    }
}

namespace Iot.Device.Tca955x
{
    public enum Tca9555Register
    {
        InputPort0 = 0x00,
        InputPort1 = 0x01,
        ConfigurationPort0 = 0x06,
        ConfigurationPort1 = 0x07,
    }

    public abstract class Tca955x : GpioDriver;

    public class Tca9555 : Tca955x
    {
        public Tca9555(I2cDevice device, int interrupt = -1, GpioController? gpioController = null, bool shouldDispose = true, bool skipAddressCheck = false) => throw new NotSupportedException();

        public void WriteByte(Tca9555Register register, byte value) => throw new NotSupportedException();

        public byte ReadByte(Tca9555Register register) => throw new NotSupportedException();
    }
}
