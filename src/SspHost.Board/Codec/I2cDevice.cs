// A chip on an I2C bus, register by register (linux/i2c-dev.h, SMBus byte data: what every adapter and the kernel's own i2c-stub can).
using System.Runtime.InteropServices;

namespace SspHost.Board;

/// <summary>struct i2c_smbus_ioctl_data; Data points to a union of 34 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct I2cTransfer
{
    public byte IsRead;
    public byte Register;
    public uint Size;
    public byte* Data;
}

/// <summary>An open bus with one address chosen. Not thread-safe.</summary>
internal sealed unsafe class I2cDevice : IDisposable
{
    /// <summary>I2C_SLAVE, I2C_SMBUS, and the size I2C_SMBUS_BYTE_DATA.</summary>
    public const uint Choose = 0x0703, Transfer = 0x0720, ByteData = 2;

    private const int UnionBytes = 34;

    private readonly SystemCalls _system;
    private readonly int _fd;

    private I2cDevice(SystemCalls system, int fd, string name) => (_system, _fd, Name) = (system, fd, name);

    /// <summary>"/dev/i2c-8, 0x44".</summary>
    public string Name { get; }

    /// <summary>Opens a bus for a chip; null, and one line why.</summary>
    /// <param name="system">The system's calls.</param>
    /// <param name="bus">"/dev/i2c-8".</param>
    /// <param name="address">0x03 to 0x77.</param>
    /// <param name="why">Why not; empty where it is open.</param>
    public static I2cDevice? Open(SystemCalls system, string bus, int address, out string why)
    {
        var name = FormattableString.Invariant($"{bus}, 0x{address:x2}");
        var fd = system.Open(bus, SystemCalls.ReadWrite);
        why = fd < 0 ? $"{bus}: {SystemCalls.Text(fd)}" : "";
        if (fd < 0) return null;
        var answer = system.Ioctl(fd, Choose, (void*)address);
        if (answer >= 0) return new I2cDevice(system, fd, name);
        system.Close(fd);
        why = $"{name}: {SystemCalls.Text(answer)}";
        return null;
    }

    /// <summary>A register's value, or -errno.</summary>
    public int Read(byte register)
    {
        var data = stackalloc byte[UnionBytes];
        var transfer = new I2cTransfer { IsRead = 1, Register = register, Size = ByteData, Data = data };
        var answer = _system.Ioctl(_fd, Transfer, &transfer);
        return answer < 0 ? answer : data[0];
    }

    /// <summary>0, or -errno.</summary>
    public int Write(byte register, byte value)
    {
        var data = stackalloc byte[UnionBytes];
        data[0] = value;
        var transfer = new I2cTransfer { Register = register, Size = ByteData, Data = data };
        return Math.Min(0, _system.Ioctl(_fd, Transfer, &transfer));
    }

    public void Dispose() => _system.Close(_fd);
}
