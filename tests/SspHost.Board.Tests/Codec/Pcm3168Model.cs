// The codec and the line that resets it, as a bus shows them: registers that a reset puts back, an address that is silent in reset, faults to be had.
using System.Text;

namespace SspHost.Board.Tests.Codec;

/// <summary>
/// An I2C bus with one chip. Values after a reset, and which registers can only be read, are those of TI's SBAS452A.
/// </summary>
internal sealed unsafe class Pcm3168Model(List<string> story) : StandInDevice
{
    public const int NoSuchAddress = 6; // ENXIO: nobody acknowledged

    private const int First = 0x40, Last = 0x5E;

    private readonly byte[] _registers = AfterReset();
    private int _chosen = -1;

    public int Address { get; init; } = 0x44;

    /// <summary>Whether the chip is held in reset.</summary>
    public bool Reset { get; private set; }

    /// <summary>Bits that do not change when they are written.</summary>
    public Dictionary<int, byte> Stuck { get; } = [];

    /// <summary>Registers that are not acknowledged.</summary>
    public HashSet<int> Refuses { get; } = [];

    /// <summary>What the inputs have overflown.</summary>
    public byte Overflown { get; set; }

    public byte this[int register]
    {
        get => _registers[register - First];
        set => _registers[register - First] = value;
    }

    public void SetReset(bool high)
    {
        if (!high) AfterReset().CopyTo(_registers.AsSpan());
        Reset = !high;
        story.Add(high ? "reset high" : "reset low");
    }

    public override int Ioctl(uint request, void* argument)
    {
        switch (request)
        {
            case I2cDevice.Choose:
                _chosen = (int)argument;
                return 0;
            case I2cDevice.Transfer:
                var transfer = (I2cTransfer*)argument;
                Assert.Equal(I2cDevice.ByteData, transfer->Size);
                if (_chosen != Address || Reset || Refuses.Contains(transfer->Register) || transfer->Register is < First or > Last) return -NoSuchAddress;
                if (transfer->IsRead != 0) transfer->Data[0] = Read(transfer->Register);
                else Write(transfer->Register, transfer->Data[0]);
                return 0;
            default:
                return -SystemCalls.NoTty;
        }
    }

    private byte Read(byte register)
    {
        if (register != 0x56) return this[register];
        var overflown = Overflown;
        Overflown = 0; // held until it is read
        return overflown;
    }

    private void Write(byte register, byte value)
    {
        story.Add($"0x{register:x2}={value:x2}");
        if (register is 0x45 or 0x56) return; // flags read alone
        var stuck = Stuck.GetValueOrDefault(register);
        this[register] = (byte)((value & ~stuck) | (this[register] & stuck));
    }

    private static byte[] AfterReset()
    {
        var registers = new byte[Last - First + 1];
        registers[0] = 0xC0;
        registers.AsSpan(0x47 - First, 9).Fill(0xFF);
        registers.AsSpan(0x58 - First, 7).Fill(0xD7);
        return registers;
    }
}

/// <summary>A GPIO chip whose line leads to the codec's reset pin.</summary>
internal sealed unsafe class ResetChip(StandIn system, Pcm3168Model codec, params string[] lines) : StandInDevice
{
    private bool _given;

    public bool Taken { get; init; }

    public override int Ioctl(uint request, void* argument)
    {
        if (request == GpioAbi.GetChipInfo)
        {
            *(GpioChipInfo*)argument = new GpioChipInfo { Lines = (uint)lines.Length };
            return 0;
        }

        if (request == GpioAbi.GetLineInfo)
        {
            var info = (GpioLineInfo*)argument;
            Encoding.ASCII.GetBytes(lines[info->Offset], new Span<byte>(info->Name, 32));
            return 0;
        }

        if (request == GpioAbi.GetLine) return Give((GpioLineRequest*)argument);
        if (request != GpioAbi.SetValues || !_given) return -SystemCalls.NoTty;
        var values = (GpioLineValues*)argument;
        if ((values->Mask & 1) != 0) codec.SetReset((values->Bits & 1) != 0);
        return 0;
    }

    private int Give(GpioLineRequest* request)
    {
        if (Taken) return -SystemCalls.Busy;
        Assert.Equal((1u, GpioAbi.OutputLine, "CODEC_NRST"), (request->NumLines, request->Config.Flags, lines[request->Offsets[0]]));
        Assert.Equal((1u, GpioAbi.AttributeValues, 1UL), (request->Config.NumAttrs, request->Config.Attr0.Attr.Id, request->Config.Attr0.Mask));
        codec.SetReset((request->Config.Attr0.Attr.Flags & 1) != 0);
        _given = true;
        request->Fd = Open(0);
        system.Adopt(request->Fd, this);
        return 0;
    }
}
