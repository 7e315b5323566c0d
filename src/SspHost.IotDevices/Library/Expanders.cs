// Expanders of Iot.Device.Bindings as sixteen pins each.
using System.Device.I2c;
using Iot.Device.Mcp23xxx;
using Iot.Device.Tca955x;
using SspHost.Board;
using I2cDevice = System.Device.I2c.I2cDevice;
using McpRegister = Iot.Device.Mcp23xxx.Register;

namespace SspHost.IotDevices;

internal static class Expanders
{
    public static IPort Open(IotExpander e)
    {
        var name = FormattableString.Invariant($"{e.Chip.ToString().ToLowerInvariant()} /dev/i2c-{e.Bus}, 0x{e.Address:x2}");
        var device = I2cDevice.Create(new I2cConnectionSettings(e.Bus, e.Address));
        return e.Chip == IotChip.Mcp23017 ? new Mcp(new Mcp23017(device), name) : new Pca(new Tca9555(device), name);
    }

    private sealed class Mcp : IPort
    {
        private readonly Mcp23017 _chip;

        public Mcp(Mcp23017 chip, string name)
        {
            (_chip, Name) = (chip, name);
            chip.WriteUInt16(McpRegister.IODIR, 0xffff); // inputs, pulled up
            chip.WriteUInt16(McpRegister.GPPU, 0xffff);
        }

        public string Name { get; }

        public int Read() => _chip.ReadUInt16(McpRegister.GPIO);

        public void Dispose() => _chip.Dispose();
    }

    // A PCA9555 has the registers of a TCA9555, and pull-ups that are always there.
    private sealed class Pca : IPort
    {
        private readonly Tca9555 _chip;

        public Pca(Tca9555 chip, string name)
        {
            (_chip, Name) = (chip, name);
            chip.WriteByte(Tca9555Register.ConfigurationPort0, 0xff);
            chip.WriteByte(Tca9555Register.ConfigurationPort1, 0xff);
        }

        public string Name { get; }

        public int Read() => _chip.ReadByte(Tca9555Register.InputPort0) | (_chip.ReadByte(Tca9555Register.InputPort1) << 8);

        public void Dispose() => _chip.Dispose();
    }
}
