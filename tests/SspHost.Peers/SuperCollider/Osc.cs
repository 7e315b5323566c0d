// Messages and bundles of Open Sound Control 1.0, as SuperCollider's servers take them over UDP and from a score.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Peers.SuperCollider;

internal static class Osc
{
    /// <summary>A message; arguments are int, float, string or byte[].</summary>
    public static byte[] Message(string address, params object[] arguments)
    {
        using var packet = new MemoryStream();
        Text(packet, address);
        Text(packet, "," + string.Concat(arguments.Select(Tag)));
        foreach (var a in arguments) Argument(packet, a);
        return packet.ToArray();
    }

    /// <summary>Messages of one time, in s after the score's start (0: at once).</summary>
    public static byte[] Bundle(double seconds, params byte[][] messages)
    {
        using var packet = new MemoryStream();
        Text(packet, "#bundle");
        Span<byte> b = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(b, (ulong)(seconds * 4294967296.0));
        packet.Write(b);
        foreach (var m in messages)
        {
            BinaryPrimitives.WriteInt32BigEndian(b, m.Length);
            packet.Write(b[..4]);
            packet.Write(m);
        }

        return packet.ToArray();
    }

    /// <summary>The address of a message; empty where the packet is none.</summary>
    public static string Address(ReadOnlySpan<byte> packet)
    {
        var end = packet.IndexOf((byte)0);
        return end > 0 && packet[0] == '/' ? Encoding.ASCII.GetString(packet[..end]) : "";
    }

    /// <summary>The int arguments before the first of another kind; throws <see cref="PeerException"/> for a packet that is cut off.</summary>
    public static IReadOnlyList<int> Integers(ReadOnlySpan<byte> packet)
    {
        var address = packet.IndexOf((byte)0);
        if (address <= 0) throw new PeerException("OSC: expected a message, and it has no address");
        var tags = Padded(address);
        var length = tags < packet.Length ? packet[tags..].IndexOf((byte)0) : -1;
        if (length < 1 || packet[tags] != ',') throw new PeerException("OSC: expected the types of arguments, and there are none");
        var (at, numbers) = (tags + Padded(length), new List<int>());
        foreach (var tag in packet.Slice(tags + 1, length - 1))
        {
            if (tag != 'i') break;
            if (at + 4 > packet.Length) throw new PeerException("OSC: the message is cut off");
            numbers.Add(BinaryPrimitives.ReadInt32BigEndian(packet[at..]));
            at += 4;
        }

        return numbers;
    }

    private static int Padded(int length) => (length + 4) & ~3;

    private static char Tag(object argument) => argument switch
    {
        int => 'i',
        float => 'f',
        string => 's',
        byte[] => 'b',
        _ => throw new ArgumentException($"OSC has no {argument.GetType().Name} here", nameof(argument)),
    };

    private static void Argument(MemoryStream packet, object argument)
    {
        Span<byte> b = stackalloc byte[4];
        switch (argument)
        {
            case int i:
                BinaryPrimitives.WriteInt32BigEndian(b, i);
                packet.Write(b);
                break;
            case float f:
                BinaryPrimitives.WriteSingleBigEndian(b, f);
                packet.Write(b);
                break;
            case string s:
                Text(packet, s);
                break;
            case byte[] blob:
                BinaryPrimitives.WriteInt32BigEndian(b, blob.Length);
                packet.Write(b);
                packet.Write(blob);
                while (packet.Length % 4 != 0) packet.WriteByte(0);
                break;
        }
    }

    // Ends in a zero at least, and at a multiple of four bytes.
    private static void Text(MemoryStream packet, string text)
    {
        packet.Write(Encoding.ASCII.GetBytes(text));
        do packet.WriteByte(0);
        while (packet.Length % 4 != 0);
    }
}
